//! The parts of a position: numbers, what separates them, and what each says it is.

use super::BadPosition;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Hour,
    Degree,
    /// Of time or of arc, by what stands before.
    Minute,
    Second,
    ArcMinute,
    ArcSecond,
}

/// What stands before a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    Nothing,
    Blank,
    Colon,
    /// A comma, a semicolon, or a word that says that the declination follows.
    Parting,
}

/// A number and what stands around it.
#[derive(Clone, Debug)]
struct Number<'a> {
    gap: Gap,
    /// Whether it is negative, where it has a sign.
    sign: Option<bool>,
    digits: &'a str,
    unit: Option<Unit>,
}

/// The pieces of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece<'a> {
    Digits(&'a str),
    Sign(bool),
    Colon,
    Comma,
    Blank,
    Word(&'a str),
    Unit(Unit),
}

/// The numbers of a position, in their order.
#[derive(Debug)]
pub struct Words<'a> {
    numbers: Vec<Number<'a>>,
}

impl<'a> Words<'a> {
    pub fn read(text: &'a str) -> Result<Self, BadPosition> {
        let mut numbers: Vec<Number<'a>> = Vec::new();
        let (mut gap, mut sign) = (Gap::Nothing, None);
        for piece in pieces(text)? {
            match piece {
                Piece::Blank if sign.is_some() => return bad("a sign on its own"),
                Piece::Blank if gap == Gap::Nothing => gap = Gap::Blank,
                Piece::Blank => {}
                Piece::Colon if gap == Gap::Colon || numbers.is_empty() || sign.is_some() => {
                    return bad("a part between colons is empty");
                }
                Piece::Colon => gap = Gap::Colon,
                Piece::Comma if gap == Gap::Parting || numbers.is_empty() => {
                    return bad("nothing before a comma");
                }
                Piece::Comma => gap = Gap::Parting,
                Piece::Sign(_) if sign.is_some() => return bad("two signs"),
                Piece::Sign(_) if gap == Gap::Colon => return bad("a sign within a coordinate"),
                Piece::Sign(is_negative) => sign = Some(is_negative),
                Piece::Digits(digits) => {
                    numbers.push(Number { gap, sign: sign.take(), digits, unit: None });
                    gap = Gap::Nothing;
                }
                Piece::Unit(unit) => match numbers.last_mut() {
                    Some(last)
                        if last.unit.is_none()
                            && matches!(gap, Gap::Nothing | Gap::Blank)
                            && sign.is_none() =>
                    {
                        last.unit = Some(unit);
                        gap = Gap::Nothing;
                    }
                    _ => return bad("a unit without a number"),
                },
                Piece::Word(word) => match meaning(word)? {
                    Meaning::Frame => {}
                    Meaning::Ra if numbers.is_empty() => {}
                    Meaning::Dec if !numbers.is_empty() => gap = Gap::Parting,
                    Meaning::Ra | Meaning::Dec => {
                        return bad("right ascension comes first, then declination");
                    }
                },
            }
        }
        if sign.is_some() || matches!(gap, Gap::Colon | Gap::Parting) {
            return bad("it ends before its last number");
        }
        Ok(Self { numbers })
    }

    /// Whether all that stands in `text` can be part of a position.
    pub fn is_all_of_positions(text: &str) -> bool {
        let Ok(pieces) = pieces(text) else { return false };
        let is_frame = |piece: &Piece<'_>| matches!(piece, Piece::Word(word) if is_label_or_frame(word));
        let is_known = |piece: &Piece<'_>| !matches!(piece, Piece::Word(_)) || is_frame(piece);
        let first = pieces.iter().find(|piece| !is_frame(piece) && **piece != Piece::Blank);
        matches!(first, Some(Piece::Digits(_) | Piece::Sign(_))) && pieces.iter().all(is_known)
    }

    /// Right ascension and declination.
    pub fn coordinates(&self) -> Result<(Coordinate<'_>, Coordinate<'_>), BadPosition> {
        let numbers = &self.numbers;
        let (ra, dec) = numbers.split_at(self.parting()?);
        let (ra, dec) = (Coordinate { numbers: ra }, Coordinate { numbers: dec });
        if ra.is_blank_separated() && dec.is_blank_separated() && ra.numbers.len() != dec.numbers.len() {
            return Err(self.wrong_count());
        }
        Ok((ra, dec))
    }

    /// Which number the declination begins with.
    fn parting(&self) -> Result<usize, BadPosition> {
        let numbers = &self.numbers;
        let behind_first = |is_it: fn(&Number<'_>) -> bool| {
            let found = numbers.iter().enumerate().skip(1).filter(move |(_, number)| is_it(number));
            found.map(|(at, _)| at).collect::<Vec<usize>>()
        };
        if numbers.len() < 2 {
            return Err(self.wrong_count());
        }
        let commas = behind_first(|number| number.gap == Gap::Parting);
        let signs = behind_first(|number| number.sign.is_some());
        let (commas, signs) = (&commas[..], &signs[..]);
        match (commas, signs) {
            ([at], []) | ([], [at]) => return Ok(*at),
            ([comma], [sign]) if comma == sign => return Ok(*comma),
            ([], []) => {}
            ([_, _, ..], _) => return bad("more than one comma"),
            (_, _) => return bad("a sign within a coordinate"),
        }
        let has_colons = numbers.iter().any(|number| number.gap == Gap::Colon);
        let first_units = behind_first(|number| matches!(number.unit, Some(Unit::Hour | Unit::Degree)));
        let blanks = behind_first(|number| number.gap == Gap::Blank);
        match (has_colons, &first_units[..], &blanks[..]) {
            (true, _, [at]) | (false, [at], _) => Ok(*at),
            (false, [], _) if matches!(numbers.len(), 2 | 4 | 6) => Ok(numbers.len() / 2),
            _ => Err(self.wrong_count()),
        }
    }

    fn wrong_count(&self) -> BadPosition {
        let count = self.numbers.len();
        let is_written_out =
            self.numbers.iter().any(|number| number.unit.is_some() || number.gap == Gap::Colon);
        BadPosition::new(match count {
            0 => "it has no numbers".to_owned(),
            1 => "one number: a position has a right ascension and a declination".to_owned(),
            _ if is_written_out => "right ascension and declination cannot be told apart".to_owned(),
            _ => format!("{count} numbers: write two (degrees), or three and three (hours and degrees)"),
        })
    }
}

/// The numbers of one coordinate.
#[derive(Clone, Copy, Debug)]
pub struct Coordinate<'a> {
    numbers: &'a [Number<'a>],
}

impl Coordinate<'_> {
    pub fn is_single(&self) -> bool {
        self.numbers.len() == 1
    }

    /// Whether it is one number without a unit.
    pub fn is_plain_single(&self) -> bool {
        self.is_single() && self.numbers[0].unit.is_none()
    }

    fn is_blank_separated(&self) -> bool {
        let is_plain = |number: &Number<'_>| number.unit.is_none() && number.gap != Gap::Colon;
        self.numbers.iter().all(is_plain)
    }

    /// In degrees.
    pub fn right_ascension(&self) -> Result<f64, BadPosition> {
        self.check()?;
        let (is_negative, digits) = self.digits();
        if self.is_plain_single() || self.numbers[0].unit == Some(Unit::Degree) {
            return degrees(is_negative, &digits);
        }
        hours(is_negative, &digits)
    }

    /// In degrees.
    pub fn declination(&self) -> Result<f64, BadPosition> {
        self.check()?;
        if self.numbers[0].unit == Some(Unit::Hour) {
            return bad("a declination in hours");
        }
        let (is_negative, digits) = self.digits();
        degrees(is_negative, &digits)
    }

    fn digits(&self) -> (bool, Vec<&str>) {
        let is_negative = self.numbers[0].sign == Some(true);
        (is_negative, self.numbers.iter().map(|number| number.digits).collect())
    }

    /// Whether the numbers are separated in one way, and say what they are in the right order.
    fn check(&self) -> Result<(), BadPosition> {
        if self.numbers.len() > 3 {
            return bad("a coordinate of more than three numbers");
        }
        let n_colons = self.numbers.iter().skip(1).filter(|number| number.gap == Gap::Colon).count();
        let has_units = self.numbers.iter().any(|number| number.unit.is_some());
        if n_colons > 0 && has_units {
            return bad("letters and colons mixed");
        }
        if n_colons > 0 && n_colons + 1 < self.numbers.len() {
            return bad("colons and blanks mixed");
        }
        if !has_units {
            return Ok(());
        }
        let is_time = self.numbers[0].unit == Some(Unit::Hour);
        for (at, number) in self.numbers.iter().enumerate() {
            let is_last = at > 0 && at + 1 == self.numbers.len();
            let fits = match number.unit {
                None => is_last,
                Some(Unit::Hour | Unit::Degree) => at == 0,
                Some(Unit::Minute) => at == 1,
                Some(Unit::Second) => at == 2,
                Some(Unit::ArcMinute) => at == 1 && !is_time,
                Some(Unit::ArcSecond) => at == 2 && !is_time,
            };
            if !fits {
                return bad("units in the wrong order: h or d, then m, then s");
            }
        }
        Ok(())
    }
}

/// Hours, minutes and seconds of right ascension in degrees.
pub fn hours(is_negative: bool, parts: &[&str]) -> Result<f64, BadPosition> {
    let seconds = seconds(parts)?;
    if is_negative {
        return bad("negative hours");
    }
    if seconds > 24.0 * 3600.0 {
        return bad("more than 24 hours");
    }
    Ok(seconds / 240.0)
}

/// Degrees, minutes and seconds in degrees.
pub fn degrees(is_negative: bool, parts: &[&str]) -> Result<f64, BadPosition> {
    let value = match parts {
        // As it stands, to the last digit.
        [whole] => number(whole)?,
        parts => seconds(parts)? / 3600.0,
    };
    Ok(if is_negative { -value } else { value })
}

fn seconds(parts: &[&str]) -> Result<f64, BadPosition> {
    let mut seconds = 0.0;
    for (at, (part, scale)) in parts.iter().zip([3600.0, 60.0, 1.0]).enumerate() {
        if at + 1 < parts.len() && part.contains(['.', 'e', 'E']) {
            return bad("a fraction before the last part");
        }
        let number = number(part)?;
        match at {
            1 if number >= 60.0 => return bad("60 minutes or more"),
            // What was rounded up to 60 may pass.
            2 if number > 60.0 => return bad("more than 60 seconds"),
            _ => {}
        }
        seconds += number * scale;
    }
    Ok(seconds)
}

fn number(text: &str) -> Result<f64, BadPosition> {
    text.parse().map_err(|_| BadPosition::new(format!("not a number: {text:.40}")))
}

fn bad<T>(reason: &str) -> Result<T, BadPosition> {
    Err(BadPosition::new(reason))
}

/// What a word says that is no unit.
enum Meaning {
    /// A frame that is ICRS, or less than a tenth of an arcsecond from it.
    Frame,
    Ra,
    Dec,
}

fn meaning(word: &str) -> Result<Meaning, BadPosition> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "j2000" | "j2000.0" | "icrs" | "fk5" => Meaning::Frame,
        "ra" | "α" => Meaning::Ra,
        "dec" | "de" | "δ" => Meaning::Dec,
        "b1950" | "b1950.0" | "fk4" => return bad("equinox B1950: write it for J2000"),
        "l=" | "b=" | "l" | "b" | "gal" | "galactic" => {
            return bad("galactic coordinates: write them in ICRS");
        }
        "rad" | "radian" | "radians" => return bad("radians: write degrees"),
        "n" | "s" | "e" | "w" => return bad("no N or S, E or W: write a sign"),
        _ => return Err(BadPosition::new(format!("not part of a position: {word:.40}"))),
    })
}

/// Whether a word can stand in a position, sound or not.
fn is_label_or_frame(word: &str) -> bool {
    let frames = ["j2000", "j2000.0", "icrs", "fk5", "fk4", "b1950", "b1950.0", "l=", "b="];
    let labels = ["ra", "dec", "de", "α", "δ"];
    frames.iter().chain(&labels).any(|known| known.eq_ignore_ascii_case(word))
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word.to_ascii_lowercase().as_str() {
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "deg" | "degree" | "degrees" => Unit::Degree,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "arcmin" | "arcmins" | "arcminute" | "arcminutes" => Unit::ArcMinute,
        "arcsec" | "arcsecs" | "arcsecond" | "arcseconds" => Unit::ArcSecond,
        _ => return None,
    })
}

/// Takes `text` apart.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, BadPosition> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (piece, n_bytes) = match first {
            ' ' => (Piece::Blank, 1),
            ':' => (Piece::Colon, 1),
            ',' | ';' => (Piece::Comma, 1),
            '+' => (Piece::Sign(false), 1),
            '-' => (Piece::Sign(true), 1),
            '\'' => (Piece::Unit(Unit::ArcMinute), 1),
            '"' => (Piece::Unit(Unit::ArcSecond), 1),
            '.' | '0'..='9' => {
                let digits = digits(rest);
                (Piece::Digits(digits), digits.len())
            }
            letter if letter.is_alphabetic() => {
                let word = word(rest);
                (unit(word).map_or(Piece::Word(word), Piece::Unit), word.len())
            }
            other => return Err(BadPosition::new(format!("not part of a position: {other:?}"))),
        };
        pieces.push(piece);
        rest = &rest[n_bytes..];
        // `RA=`, `Dec:`
        if let Piece::Word(word) = piece
            && matches!(meaning(word), Ok(Meaning::Ra | Meaning::Dec))
        {
            let behind = rest.trim_start();
            rest = behind.strip_prefix(['=', ':']).unwrap_or(rest).trim_start();
        }
    }
    Ok(pieces)
}

/// The digits that `text` begins with, with the dot and the exponent. An exponent has a sign:
/// `1E1207` is the beginning of a name.
fn digits(text: &str) -> &str {
    let is_digit = |c: char| c.is_ascii_digit() || c == '.';
    let end = text.find(|c| !is_digit(c)).unwrap_or(text.len());
    let exponent = text[end..].strip_prefix(['e', 'E']).and_then(|rest| rest.strip_prefix(['+', '-']));
    let n_digits =
        exponent.map_or(0, |rest| rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    if n_digits == 0 { &text[..end] } else { &text[..end + 2 + n_digits] }
}

/// The letters that `text` begins with; of an equinox or a catalogue the number, too.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let behind = &text[end..];
    let is_numbered = ["J", "B", "FK"].iter().any(|word| word.eq_ignore_ascii_case(&text[..end]));
    if is_numbered && behind.starts_with(|c: char| c.is_ascii_digit()) {
        return &text[..end + digits(behind).len()];
    }
    if end == 1 && text.starts_with(['l', 'b']) && behind.starts_with('=') {
        &text[..=end]
    } else {
        &text[..end]
    }
}
