//! The walk through a document: which table is the result, its rows, and what is said of
//! the query before, within and behind it.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::super::sniff::{DEFINITION, bare_doctype, head};
use super::super::{ParseError, ParseErrorKind};
use super::binary::BinaryRows;
use super::characters::Characters;
use super::field::Field;
use super::fields::{Attributes, attributes, field, ill_formed, value};
use super::plain_row;
use super::row::{RowCells, TableRow};
use super::status::QueryStatus;
use super::writer::is_allowed;
use super::{TableError, TableLimits};

/// Elements within elements; a `VOTable` needs a dozen.
const DEEPEST: usize = 200;

/// So many bytes of a text for people are kept.
const LONGEST_TEXT: usize = 4000;

/// Reads a `VOTable`, one piece after the other.
pub struct TableReader<R> {
    xml: Reader<Characters<R>>,
    limits: TableLimits,
    buffer: Vec<u8>,
    open: Vec<Element>,
    /// The characters of the innermost element that is read for them.
    text: String,
    /// The attributes of the `INFO` that is open.
    info: Attributes,
    has_begun: bool,
    has_root: bool,
    is_at_end: bool,
    has_failed: bool,
    has_doctype: bool,
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
    result: Vec<Field>,
    row: RowCells,
    binary: BinaryRows,
    said: Said,
    summary: TableSummary,
}

/// What comes of a document.
#[derive(Debug)]
pub enum TableItem<'a> {
    /// The fields of the table that is taken for the result; rows that came before it
    /// were those of another and do not count.
    Table(&'a [Field]),
    /// The next row of it.
    Row(TableRow<'a>),
    /// The document has ended, well-formed.
    End(&'a TableSummary),
}

/// What a document says beside its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// What is said of the query (`QUERY_STATUS`), wherever it stands.
    pub status: QueryStatus,
    /// An error as Simple Cone Search has it: an `INFO` or `PARAM` called `Error`.
    pub error: Option<String>,
    /// What the document says of itself.
    pub description: Option<String>,
    /// How many fields the result has; `None` where there is no table.
    pub fields: Option<usize>,
    /// The rows of the result.
    pub rows: u64,
    /// Why its rows are not read, where they are not: as FITS, or in another document.
    pub unread: Option<String>,
}

/// The elements that mean something where they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
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
    Info,
    Description,
    /// Anything else, with all that is in it.
    Other,
}

/// How a resource ranks as the place of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Not,
    Unmarked,
    Results,
}

/// What is said of the query, by where it is said.
struct Said {
    at_root: QueryStatus,
    unmarked: QueryStatus,
    results: QueryStatus,
    has_results: bool,
}

/// What one event of the markup comes to.
enum Step {
    Nothing,
    Table,
    Row,
    End,
}

impl<R: Read> TableReader<R> {
    /// `charset` is what came with the bytes, such as the parameter of an HTTP
    /// `Content-Type`.
    pub fn new(input: R, charset: Option<&str>, limits: TableLimits) -> Self {
        let mut xml = Reader::from_reader(Characters::new(input, charset, limits.bytes));
        let config = xml.config_mut();
        config.check_comments = true;
        Self {
            xml,
            limits,
            buffer: Vec::new(),
            open: Vec::new(),
            text: String::new(),
            info: Attributes::new(),
            has_begun: false,
            has_root: false,
            is_at_end: false,
            has_failed: false,
            has_doctype: false,
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
            said: Said {
                at_root: QueryStatus::Missing,
                unmarked: QueryStatus::Missing,
                results: QueryStatus::Missing,
                has_results: false,
            },
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

    /// The next item. After the end it is the end again.
    ///
    /// # Errors
    /// When the bytes stop coming, the limits are passed, or what comes is no `VOTable` or
    /// not one to its end. Nothing that came before is a result then.
    #[expect(clippy::should_implement_trait, reason = "an item borrows from the reader")]
    pub fn next(&mut self) -> Result<TableItem<'_>, TableError> {
        if self.has_failed {
            let text = "nothing is read behind an error";
            return Err(ParseError::new(ParseErrorKind::BadXml, text).into());
        }
        loop {
            let step = if self.is_at_end { Ok(Step::End) } else { self.step() };
            match step {
                Ok(Step::Nothing) => {}
                Ok(Step::Table) => return Ok(TableItem::Table(&self.result)),
                Ok(Step::Row) => return Ok(TableItem::Row(TableRow::new(&self.result, &self.row))),
                Ok(Step::End) => return Ok(TableItem::End(&self.summary)),
                Err(error) => {
                    self.has_failed = true;
                    return Err(error);
                }
            }
        }
    }

    fn step(&mut self) -> Result<Step, TableError> {
        self.xml.get_mut().allow(self.limits.cell);
        if self.open.last() == Some(&Element::Stream) {
            if self.binary.advance(&self.result, &mut self.row, self.summary.rows + 1)? {
                self.summary.rows += 1;
                return Ok(Step::Row);
            }
            if self.feed()? {
                return Ok(Step::Nothing);
            }
        }
        if self.open.last() == Some(&Element::TableData) && self.take_plain_row() {
            self.summary.rows += 1;
            return Ok(Step::Row);
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let step = match self.xml.read_event_into(&mut buffer) {
            Ok(event) => self.take(&event),
            Err(error) => Err(self.failure(&error)),
        };
        self.buffer = buffer;
        step
    }

    /// Takes the next row, if all of it has come and it is plain.
    fn take_plain_row(&mut self) -> bool {
        let mut stream = self.xml.stream();
        // What is wrong with the bytes, the reader of markup meets as well.
        let Ok(available) = stream.fill_buf() else { return false };
        let taken = plain_row::read(available, &self.result, self.limits.cell, &mut self.row);
        stream.consume(taken.unwrap_or(0));
        taken.is_some()
    }

    /// Hands on the characters of binary data that have come, without a copy; whether there
    /// were any before the next markup.
    fn feed(&mut self) -> Result<bool, TableError> {
        let mut stream = self.xml.stream();
        let Ok(available) = stream.fill_buf() else {
            return Err(self.failure(&"the data ended"));
        };
        let is_markup = |byte: &u8| matches!(byte, b'<' | b'&');
        let n_characters = available.iter().position(is_markup).unwrap_or(available.len());
        self.binary.feed(&available[..n_characters])?;
        stream.consume(n_characters);
        Ok(n_characters > 0)
    }

    fn failure(&mut self, error: &dyn std::fmt::Display) -> TableError {
        let failure = self.xml.get_mut().take_failure();
        failure.unwrap_or_else(|| ill_formed(error).into())
    }

    fn take(&mut self, event: &Event<'_>) -> Result<Step, TableError> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match event {
            Event::Start(tag) => return self.start(tag),
            Event::End(_) => return self.end(),
            Event::Empty(tag) => {
                // Never both: a row that is empty is an error, and a table ends with its fields.
                let step = self.start(tag)?;
                let ended = self.end()?;
                return Ok(if matches!(step, Step::Nothing) { ended } else { step });
            }
            Event::Text(text) => self.characters(decoded(text)?)?,
            Event::CData(text) if self.open.is_empty() => {
                return Err(ill_formed(&"CDATA outside of the root element").into());
            }
            Event::CData(text) => self.characters(decoded(text)?)?,
            Event::GeneralRef(reference) => self.reference(reference)?,
            Event::Comment(_) | Event::PI(_) => {}
            Event::Decl(_) if is_first => {}
            Event::Decl(_) => {
                return Err(ill_formed(&"an XML declaration that is not at the beginning").into());
            }
            Event::DocType(definition) => self.doctype(decoded(definition)?)?,
            Event::Eof => {
                self.finish()?;
                return Ok(Step::End);
            }
        }
        Ok(Step::Nothing)
    }

    fn doctype(&mut self, definition: &str) -> Result<(), ParseError> {
        // One that defines something, or is no `VOTable`'s, is refused; nothing is fetched.
        let whole = format!("<!DOCTYPE {definition}>");
        let is_bare = bare_doctype(&whole).is_some_and(str::is_empty);
        if !is_bare {
            return Err(ParseError::not_safe(DEFINITION));
        }
        if self.has_root || std::mem::replace(&mut self.has_doctype, true) {
            return Err(ill_formed(&"a document type in the wrong place"));
        }
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<Step, TableError> {
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
                // Of Simple Cone Search, which says so in one more way.
                if is_error(&attributes) {
                    self.note_error(value(&attributes, "value").unwrap_or_default());
                }
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
            self.said.has_results = true;
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

    fn end(&mut self) -> Result<Step, TableError> {
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
                if self.row.len() != self.result.len() {
                    return Err(self.wrong_width(self.row.len()).into());
                }
                self.summary.rows += 1;
                return Ok(Step::Row);
            }
            Some(Element::Stream) => self.binary.finish(self.summary.rows + 1)?,
            Some(Element::Info) => self.note_info(),
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
    fn characters(&mut self, text: &str) -> Result<(), TableError> {
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
            Some(Element::Stream) => self.binary.feed(text.as_bytes())?,
            Some(Element::Info | Element::Description) => {
                let room = LONGEST_TEXT.saturating_sub(self.text.len());
                self.text.push_str(head(text, room));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// `&lt;` or `&#60;`: nothing is known by another name.
    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), TableError> {
        let mut bytes = [0; 4];
        let text = match reference.resolve_char_ref().map_err(|error| ill_formed(&error))? {
            Some(character) if is_allowed(character) => &*character.encode_utf8(&mut bytes),
            Some(character) => {
                let code = u32::from(character);
                return Err(ill_formed(&format_args!("the character U+{code:04X} is not allowed")).into());
            }
            None => {
                let name = reference.decode().map_err(|error| ill_formed(&error))?;
                let known = resolve_predefined_entity(&name);
                known.ok_or_else(|| ill_formed(&format_args!("unknown entity {:?}", head(&name, 40))))?
            }
        };
        self.characters(text)
    }

    fn note_info(&mut self) {
        let attributes = std::mem::take(&mut self.info);
        let said = value(&attributes, "value").unwrap_or_default().trim();
        let text = trimmed(&self.text);
        if is_error(&attributes) {
            let text = if said.is_empty() { text } else { said }.to_owned();
            return self.note_error(&text);
        }
        let name = value(&attributes, "name").unwrap_or_default();
        if !name.eq_ignore_ascii_case("QUERY_STATUS") {
            return;
        }
        let place = self.open.iter().rev().find_map(|element| match element {
            Element::Resource { rank, .. } => Some(*rank),
            _ => None,
        });
        let status = match place {
            None => &mut self.said.at_root,
            Some(Rank::Results) => &mut self.said.results,
            Some(Rank::Unmarked) => &mut self.said.unmarked,
            Some(Rank::Not) => return,
        };
        // Further within, as behind a table's data, only a failure counts.
        let speaks = matches!(
            self.open.last(),
            Some(Element::Root | Element::Definitions | Element::Resource { speaks: true, .. })
        );
        let told = QueryStatus::read(said, text);
        if speaks || matches!(told, QueryStatus::Error(_)) {
            status.add(told);
        }
    }

    fn note_error(&mut self, text: &str) {
        let text = head(text.trim(), LONGEST_TEXT).to_owned();
        self.summary.error.get_or_insert(text);
    }

    /// The document has ended.
    fn finish(&mut self) -> Result<(), ParseError> {
        if let Some(innermost) = self.open.last() {
            let text = format!("not well-formed: it ends within {}", innermost.name());
            return Err(ParseError::new(ParseErrorKind::BadXml, text));
        }
        if !self.has_root {
            let kind = if self.has_begun { ParseErrorKind::BadXml } else { ParseErrorKind::NotXml };
            return Err(ParseError::new(kind, "it has no root element"));
        }
        let said = &mut self.said;
        let within = if said.has_results { &mut said.results } else { &mut said.unmarked };
        let mut status = std::mem::replace(&mut said.at_root, QueryStatus::Missing);
        status.add(std::mem::replace(within, QueryStatus::Missing));
        self.summary.status = status;
        self.is_at_end = true;
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
            Self::Binary | Self::Stream => "the binary data",
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

/// What `Simple Cone Search` calls an error.
fn is_error(attributes: &Attributes) -> bool {
    let named =
        |attribute: &str| value(attributes, attribute).is_some_and(|name| name.eq_ignore_ascii_case("Error"));
    named("name") || named("ID")
}

fn decoded<'a>(bytes: &'a [u8]) -> Result<&'a str, ParseError> {
    std::str::from_utf8(bytes).map_err(|error| ill_formed(&error))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}
