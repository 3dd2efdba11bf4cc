//! What a table says of its columns, and which texts are values of them.

/// A `FIELD`: one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its `ID` in the document.
    pub id: Option<String>,
    /// The type of its values.
    pub datatype: Datatype,
    /// How many of them a cell holds.
    pub arraysize: ArraySize,
    /// What they are: a Unified Content Descriptor.
    pub ucd: Option<String>,
    /// What they are by a data model.
    pub utype: Option<String>,
    /// Their unit, as it is written.
    pub unit: Option<String>,
    /// How they are to be read beyond their datatype.
    pub xtype: Option<String>,
    /// The `ID` of what it refers to, as a coordinate system.
    pub reference: Option<String>,
    /// The value that means none: `null` of `VALUES`.
    pub null: Option<String>,
    /// A text for people.
    pub description: Option<String>,
}

/// The types of `VOTable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Datatype {
    /// `boolean`: `T`, `F`, or nothing.
    Boolean,
    /// `bit`.
    Bit,
    /// `unsignedByte`: 0 to 255.
    UnsignedByte,
    /// `short`: 16 bits.
    Short,
    /// `int`: 32 bits.
    Int,
    /// `long`: 64 bits.
    Long,
    /// `char`: ASCII by the standard, UTF-8 as it is used (and allowed from 1.5 on).
    Char,
    /// `unicodeChar`: UTF-16.
    UnicodeChar,
    /// `float`: 32 bits.
    Float,
    /// `double`: 64 bits.
    Double,
    /// `floatComplex`: two of `float`.
    FloatComplex,
    /// `doubleComplex`: two of `double`.
    DoubleComplex,
    /// No type of `VOTable`, or none at all: read as text.
    #[default]
    Missing,
    /// A word that is none of its types: read as text.
    Other(String),
}

impl Datatype {
    /// The type of this name.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "boolean" => Self::Boolean,
            "bit" => Self::Bit,
            "unsignedByte" => Self::UnsignedByte,
            "short" => Self::Short,
            "int" => Self::Int,
            "long" => Self::Long,
            "char" => Self::Char,
            "unicodeChar" => Self::UnicodeChar,
            "float" => Self::Float,
            "double" => Self::Double,
            "floatComplex" => Self::FloatComplex,
            "doubleComplex" => Self::DoubleComplex,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Its name in a document.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Boolean => "boolean",
            Self::Bit => "bit",
            Self::UnsignedByte => "unsignedByte",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Char | Self::Missing => "char",
            Self::UnicodeChar => "unicodeChar",
            Self::Float => "float",
            Self::Double => "double",
            Self::FloatComplex => "floatComplex",
            Self::DoubleComplex => "doubleComplex",
            Self::Other(name) => name,
        }
    }

    /// Whether its values are characters.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Char | Self::UnicodeChar | Self::Missing | Self::Other(_))
    }
}

/// How many values a cell holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ArraySize {
    /// One.
    #[default]
    One,
    /// As many as these dimensions have together, the fastest first.
    Fixed(Vec<usize>),
    /// Any number of pieces of these dimensions (none: of single values), up to a limit that
    /// nobody keeps to.
    Variable(Vec<usize>),
    /// A text that makes no sense.
    Unknown(String),
}

impl ArraySize {
    /// Reads `3`, `*`, `8*`, `2x3`, `2x*`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let unknown = || Self::Unknown(text.to_owned());
        let (fixed, is_variable) = match text.strip_suffix('*') {
            // A number before the star is a limit and no dimension.
            Some(rest) => (rest.rsplit_once('x').map_or("", |(fixed, _)| fixed), true),
            None => (text, false),
        };
        let dimensions = fixed.split('x').filter(|_| !fixed.is_empty()).map(|size| size.trim().parse());
        match dimensions.collect::<Result<Vec<usize>, _>>() {
            Ok(sizes) if is_variable => Self::Variable(sizes),
            Ok(sizes) if !sizes.is_empty() => Self::Fixed(sizes),
            Ok(_) | Err(_) => unknown(),
        }
    }
}

impl std::fmt::Display for ArraySize {
    /// As a document has it; nothing for a single value.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let joined = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        match self {
            Self::One => Ok(()),
            Self::Fixed(sizes) => f.write_str(&joined(sizes)),
            Self::Variable(sizes) if sizes.is_empty() => f.write_str("*"),
            Self::Variable(sizes) => write!(f, "{}x*", joined(sizes)),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

impl Field {
    /// Whether `text` stands for no value in a cell of this field: nothing, blanks, the
    /// field's own null, for numbers also what is not finite, and words that mean it.
    ///
    /// # Errors
    /// When it is neither that nor a value of its type.
    pub(super) fn is_null(&self, text: &str) -> Result<bool, ()> {
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            return Ok(true);
        }
        if self.datatype.is_text() {
            return Ok(self.null.as_deref().is_some_and(|null| null == trimmed));
        }
        let is_pair = matches!(self.datatype, Datatype::FloatComplex | Datatype::DoubleComplex);
        if self.arraysize == ArraySize::One && !is_pair {
            return self.is_null_item(trimmed);
        }
        if self.datatype == Datatype::Bit && trimmed.bytes().all(|byte| matches!(byte, b'0' | b'1')) {
            return Ok(false);
        }
        let mut all_null = true;
        for item in trimmed.split_ascii_whitespace() {
            all_null &= self.is_null_item(item)?;
        }
        Ok(all_null)
    }

    /// The same of one value.
    fn is_null_item(&self, item: &str) -> Result<bool, ()> {
        let null = self.null.as_deref();
        if null == Some(item) {
            return Ok(true);
        }
        let is_null = match self.datatype {
            Datatype::Boolean => match item {
                "?" => Some(true),
                _ => is_one_of(item, &["T", "F", "true", "false", "1", "0"]).then_some(false),
            },
            Datatype::Bit => is_one_of(item, &["0", "1"]).then_some(false),
            Datatype::UnsignedByte | Datatype::Short | Datatype::Int | Datatype::Long => {
                integer(item).map(|number| null.and_then(integer) == Some(number))
            }
            _ => {
                let number = item.parse::<f64>().ok();
                let null = null.and_then(|null| null.parse::<f64>().ok());
                number.map(|number| !number.is_finite() || null == Some(number))
            }
        };
        // Words for nothing that no type has, and that services write all the same.
        let is_word = || is_one_of(item, &["null", "n/a", "nan", "inf", "+inf", "-inf"]).then_some(true);
        is_null.or_else(is_word).ok_or(())
    }
}

/// Whether `item` is one of `words`, in whatever case.
fn is_one_of(item: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(item))
}

/// A whole number as `VOTable` has it, in decimal or as `0x1F`.
fn integer(text: &str) -> Option<i64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) if !digits.starts_with('+') => {
            u64::from_str_radix(digits, 16).ok().map(u64::cast_signed)
        }
        Some(_) => None,
        None => text.parse().ok(),
    }
}
