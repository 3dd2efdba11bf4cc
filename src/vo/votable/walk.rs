//! What a document's elements mean where they stand: which table is the result, its
//! fields and its rows.

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::super::sniff::head;
use super::super::{ParseError, ParseErrorKind};
use super::binary::BinaryRows;
use super::field::Field;
use super::fields::{Attributes, attributes, field, ill_formed, trimmed, value};
use super::row::RowCells;
use super::said::{LONGEST_TEXT, Rank, Said, SaidIn, TableSummary};
use super::status::QueryStatus;
use super::{TableError, TableLimits};

/// Elements within elements; a `VOTable` needs a dozen.
const DEEPEST: usize = 200;

/// The elements that mean something where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Root,
    Definitions,
    /// `speaks`: whether what it says of the query itself counts, and not only that it failed.
    Resource {
        rank: Rank,
        speaks: bool,
    },
    Table {
        is_result: bool,
    },
    Field,
    Data,
    TableData,
    Tr,
    Td,
    Binary,
    Stream,
    /// Its end has come; its last rows may be to come.
    StreamEnd,
    Info,
    Description,
    /// Anything else, with all that is in it.
    Other,
}

/// What a piece of markup comes to.
#[derive(Debug)]
pub enum Step {
    Nothing,
    Table,
    Row,
    End,
}

/// What is known at one place of a document.
#[derive(Debug)]
pub struct Walk {
    limits: TableLimits,
    pub open: Vec<Element>,
    pub has_root: bool,
    /// The characters of the innermost element that is read for them.
    text: String,
    /// The attributes of the `INFO` that is open.
    info: Attributes,
    /// How many fields all tables together have.
    n_fields: usize,
    /// The table that is open: its fields, its `ID`, and the one that it refers to.
    fields: Vec<Field>,
    table_id: Option<String>,
    table_ref: Option<String>,
    /// Whether the fields of the result have been handed out.
    has_result: bool,
    /// The fields of tables that have an `ID`, for those that refer to them.
    fields_by_id: HashMap<String, Vec<Field>>,
    /// The table that the result's fields stand in, if they had not come.
    awaited: Option<String>,
    /// The rank of the result as far as it is known, and its fields.
    rank: Rank,
    pub result: Vec<Field>,
    pub row: RowCells,
    pub binary: BinaryRows,
    said: Said,
    pub summary: TableSummary,
}

impl Walk {
    pub fn new(limits: TableLimits) -> Self {
        Self {
            limits,
            open: Vec::new(),
            has_root: false,
            text: String::new(),
            info: Attributes::new(),
            n_fields: 0,
            fields: Vec::new(),
            table_id: None,
            table_ref: None,
            has_result: false,
            fields_by_id: HashMap::new(),
            awaited: None,
            rank: Rank::Not,
            result: Vec::new(),
            row: RowCells::default(),
            binary: BinaryRows::new(false, limits.cell),
            said: Said::nothing(),
            summary: TableSummary {
                status: QueryStatus::Missing,
                error: None,
                description: None,
                fields: None,
                rows: 0,
                unread: None,
            },
        }
    }

    pub fn start(&mut self, tag: &BytesStart<'_>) -> Result<Step, TableError> {
        let parent = self.open.last().copied();
        if parent.is_none() && self.has_root {
            return Err(ill_formed(&"more than one root element").into());
        }
        if self.open.len() >= DEEPEST {
            return Err(ParseError::not_safe(format!("elements nested more than {DEEPEST} deep")).into());
        }
        let attributes = if tag.attributes_raw().is_empty() { Attributes::new() } else { attributes(tag)? };
        let name = tag.local_name();
        let mut step = Step::Nothing;
        let element = match (parent, name.as_ref()) {
            (None, name) => {
                root(name, tag, &attributes)?;
                self.has_root = true;
                Element::Root
            }
            (Some(Element::TableData), b"TR") => {
                self.row.clear();
                Element::Tr
            }
            (Some(Element::Tr), b"TD") => {
                if value(&attributes, "encoding").is_some() {
                    return Err(ParseError::bad_value("a TD with an encoding of its own").into());
                }
                Element::Td
            }
            (Some(Element::Td), name) => {
                let text = format!("markup within a cell: <{:.40}>", String::from_utf8_lossy(name));
                return Err(ParseError::bad_value(text).into());
            }
            (Some(Element::Root), b"DEFINITIONS") => Element::Definitions,
            (Some(Element::Root), b"RESOURCE") => self.resource(None, &attributes),
            (Some(Element::Resource { rank, .. }), b"RESOURCE") => self.resource(Some(rank), &attributes),
            (Some(Element::Resource { rank, .. }), b"TABLE") => self.table(rank, &attributes),
            (Some(Element::Table { .. }), b"FIELD") => {
                self.n_fields += 1;
                if self.n_fields > self.limits.fields {
                    let text = format!("more than {} fields", self.limits.fields);
                    return Err(TableError::TooLarge(text));
                }
                self.fields.push(field(&attributes));
                Element::Field
            }
            (Some(Element::Field), b"VALUES") => {
                if let (Some(field), Some(null)) = (self.fields.last_mut(), value(&attributes, "null")) {
                    field.null = Some(null.trim().to_owned());
                }
                Element::Other
            }
            (Some(Element::Table { is_result }), b"DATA") => {
                if is_result {
                    step = self.begin_result();
                }
                if is_result && !self.result.is_empty() { Element::Data } else { Element::Other }
            }
            (Some(Element::Data), b"TABLEDATA") => Element::TableData,
            (Some(Element::Data), name @ (b"BINARY" | b"BINARY2")) => {
                self.binary = BinaryRows::new(name == b"BINARY2", self.limits.cell);
                Element::Binary
            }
            (Some(Element::Data), b"FITS") => self.leave_unread("its rows are FITS, which is not read"),
            (Some(Element::Binary), b"STREAM") => {
                let is_elsewhere = value(&attributes, "href").is_some_and(|place| !place.is_empty());
                match value(&attributes, "encoding").map(str::trim) {
                    _ if is_elsewhere => {
                        self.leave_unread("its rows are in another document, which is not read")
                    }
                    None | Some("base64" | "") => Element::Stream,
                    Some(other) => {
                        let other = head(other, 40);
                        self.leave_unread(&format!("its rows are encoded as {other:?}, which is not read"))
                    }
                }
            }
            (Some(Element::Resource { .. } | Element::Definitions), b"PARAM") => {
                self.said.note_param(&attributes);
                Element::Other
            }
            (Some(Element::Root | Element::Resource { .. } | Element::Field), b"DESCRIPTION") => {
                self.text.clear();
                Element::Description
            }
            (
                Some(Element::Root | Element::Definitions | Element::Resource { .. } | Element::Table { .. }),
                b"INFO",
            ) => {
                self.text.clear();
                self.info = attributes;
                Element::Info
            }
            (Some(_), _) => Element::Other,
        };
        self.open.push(element);
        Ok(step)
    }

    fn resource(&mut self, within: Option<Rank>, attributes: &Attributes) -> Element {
        let kind = value(attributes, "type").unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("results") {
            self.said.note_results();
            return Element::Resource { rank: Rank::Results, speaks: true };
        }
        let inherited = within.unwrap_or(Rank::Unmarked);
        let rank = if kind.eq_ignore_ascii_case("meta") { Rank::Not } else { inherited };
        Element::Resource { rank, speaks: within.is_none() && rank == Rank::Unmarked }
    }

    fn table(&mut self, rank: Rank, attributes: &Attributes) -> Element {
        self.fields.clear();
        self.table_id = value(attributes, "ID").map(str::to_owned);
        self.table_ref = value(attributes, "ref").map(str::to_owned);
        let is_result = rank > self.rank;
        if is_result {
            self.rank = rank;
            self.has_result = false;
        }
        Element::Table { is_result }
    }

    fn leave_unread(&mut self, why: &str) -> Element {
        self.summary.unread = Some(why.to_owned());
        Element::Other
    }

    /// The fields of the result are known: its own, or those of the table that it refers to.
    fn begin_result(&mut self) -> Step {
        self.has_result = true;
        self.result.clone_from(&self.fields);
        self.awaited = None;
        if let (true, Some(id)) = (self.result.is_empty(), &self.table_ref) {
            match self.fields_by_id.get(id) {
                Some(fields) => self.result.clone_from(fields),
                None => self.awaited = Some(id.clone()),
            }
        }
        self.summary.fields = Some(self.result.len());
        self.summary.rows = 0;
        self.summary.unread = None;
        Step::Table
    }

    pub fn end(&mut self) -> Result<Step, TableError> {
        let ended = self.open.pop();
        match ended {
            Some(Element::Td) => {
                let row = self.summary.rows + 1;
                let Some(field) = self.result.get(self.row.len()) else {
                    return Err(self.wrong_width(self.row.len() + 1).into());
                };
                self.row.end_checked(field, row)?;
            }
            Some(Element::Tr) => {
                if self.row.len() == 0 {
                    // Nothing in it can be taken for another column's.
                    self.result.iter().for_each(|_| self.row.end(true));
                }
                if self.row.len() != self.result.len() {
                    return Err(self.wrong_width(self.row.len()).into());
                }
                self.summary.rows += 1;
                return Ok(Step::Row);
            }
            Some(Element::Stream) => {
                self.binary.finish();
                self.open.push(Element::StreamEnd);
            }
            Some(Element::Info) => {
                let place = self.place();
                self.said.note_info(&std::mem::take(&mut self.info), &self.text, place);
            }
            Some(Element::Description) => {
                let text = trimmed(&self.text);
                let kept = match self.open.last() {
                    Some(Element::Field) => self.fields.last_mut().map(|field| &mut field.description),
                    _ => Some(&mut self.summary.description),
                };
                if let Some(kept) = kept.filter(|kept| kept.is_none()) {
                    *kept = Some(text.to_owned());
                }
            }
            Some(Element::Table { is_result }) => {
                let step = if is_result && !self.has_result { self.begin_result() } else { Step::Nothing };
                if let Some(id) = self.table_id.take() {
                    if self.awaited.as_ref() == Some(&id) {
                        self.summary.fields = Some(self.fields.len());
                    }
                    self.fields_by_id.insert(id, std::mem::take(&mut self.fields));
                }
                return Ok(step);
            }
            _ => {}
        }
        Ok(Step::Nothing)
    }

    fn wrong_width(&self, n_cells: usize) -> ParseError {
        let (row, fields) = (self.summary.rows + 1, self.result.len());
        let more = if n_cells > fields { "at least " } else { "" };
        ParseError::bad_value(format!(
            "row {row} has {more}{n_cells} cells, and the table has {fields} fields"
        ))
    }

    /// Characters in the innermost element.
    pub fn characters(&mut self, text: &str) -> Result<(), TableError> {
        match self.open.last() {
            None if trimmed(text).is_empty() => {}
            None => {
                let place = if self.has_root { "behind" } else { "before" };
                return Err(ill_formed(&format_args!(
                    "text {place} the root element: {:?}",
                    head(text.trim(), 40)
                ))
                .into());
            }
            Some(Element::Td) => {
                self.row.text.push_str(text);
                if self.row.open().len() > self.limits.cell {
                    let text = format!(
                        "row {}: a cell of more than {} bytes",
                        self.summary.rows + 1,
                        self.limits.cell
                    );
                    return Err(TableError::TooLarge(text));
                }
            }
            Some(Element::Stream) => self.binary.feed(text.as_bytes()),
            Some(Element::Info | Element::Description) => {
                let room = LONGEST_TEXT.saturating_sub(self.text.len());
                self.text.push_str(head(text, room));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Takes the next row of binary data, if all of it has come.
    pub fn take_binary_row(&mut self) -> Result<bool, TableError> {
        let row = self.summary.rows + 1;
        let is_whole = self.binary.advance(&self.result, &mut self.row, row)?;
        if is_whole {
            self.summary.rows = row;
        } else if let Some(flaw) = self.binary.flaw(row) {
            return Err(flaw.into());
        }
        Ok(is_whole)
    }

    /// Leaves binary data whose end has come; whether it has.
    pub fn leave_stream(&mut self) -> bool {
        self.open.pop_if(|innermost| *innermost == Element::StreamEnd).is_some()
    }

    /// Where the innermost open element is, for what is said there.
    fn place(&self) -> SaidIn {
        let rank = self.open.iter().rev().find_map(|element| match element {
            Element::Resource { rank, .. } => Some(*rank),
            _ => None,
        });
        let speaks = matches!(
            self.open.last(),
            Some(Element::Root | Element::Definitions | Element::Resource { speaks: true, .. })
        );
        SaidIn { rank, speaks }
    }

    /// The document has ended.
    pub fn finish(&mut self, has_begun: bool) -> Result<(), ParseError> {
        if let Some(innermost) = self.open.last() {
            let text = format!("not well-formed: it ends within {}", innermost.name());
            return Err(ParseError::new(ParseErrorKind::BadXml, text));
        }
        if !self.has_root {
            let kind = if has_begun { ParseErrorKind::BadXml } else { ParseErrorKind::NotXml };
            return Err(ParseError::new(kind, "it has no root element"));
        }
        self.said.conclude(&mut self.summary);
        Ok(())
    }
}

impl Element {
    fn name(self) -> &'static str {
        match self {
            Self::Root => "<VOTABLE>",
            Self::Definitions => "<DEFINITIONS>",
            Self::Resource { .. } => "<RESOURCE>",
            Self::Table { .. } => "<TABLE>",
            Self::Field => "<FIELD>",
            Self::Data => "<DATA>",
            Self::TableData => "<TABLEDATA>",
            Self::Tr => "a row",
            Self::Td => "a cell",
            Self::Binary | Self::Stream | Self::StreamEnd => "the binary data",
            Self::Info => "<INFO>",
            Self::Description => "<DESCRIPTION>",
            Self::Other => "an element",
        }
    }
}

/// Whether the root is that of a `VOTable`.
fn root(name: &[u8], tag: &BytesStart<'_>, attributes: &Attributes) -> Result<(), ParseError> {
    let declared = match tag.name().prefix() {
        None => "xmlns".to_owned(),
        Some(prefix) => format!("xmlns:{}", String::from_utf8_lossy(prefix.as_ref())),
    };
    let namespace = value(attributes, &declared).map(str::trim);
    if namespace.is_none() && declared != "xmlns" {
        return Err(ill_formed(&"a prefix that is not declared"));
    }
    let namespace = namespace.unwrap_or_default();
    let is_known = namespace.is_empty() || namespace.starts_with("http://www.ivoa.net/xml/VOTable/");
    if name == b"VOTABLE" && is_known {
        return Ok(());
    }
    Err(ParseError::wrong_document("VOTable", &String::from_utf8_lossy(name), namespace))
}
