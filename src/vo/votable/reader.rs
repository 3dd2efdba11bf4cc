//! From markup to rows: asks the reader of XML for its next event, or goes around it where
//! rows need none.

use std::io::{BufRead, Read};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

use super::super::sniff::{DEFINITION, bare_doctype, head};
use super::super::{ParseError, ParseErrorKind};
use super::characters::Characters;
use super::field::Field;
use super::fields::ill_formed;
use super::plain_row;
use super::row::TableRow;
use super::said::TableSummary;
use super::walk::{Element, Step, Walk};
use super::writer::is_allowed;
use super::{TableError, TableLimits};

/// Reads a `VOTable`, one piece after the other.
pub struct TableReader<'a> {
    xml: Reader<Characters<'a>>,
    limits: TableLimits,
    buffer: Vec<u8>,
    walk: Walk,
    has_begun: bool,
    has_doctype: bool,
    /// Whether the reader of markup has seen the `<` that comes next, and will take it
    /// unseen.
    awaits_markup: bool,
    state: ReadState,
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadState {
    Within,
    AtEnd,
    Failed,
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

impl<'a> TableReader<'a> {
    /// `charset` is what came with the bytes, such as the parameter of an HTTP
    /// `Content-Type`.
    pub fn new(input: impl Read + 'a, charset: Option<&str>, limits: TableLimits) -> Self {
        let mut xml = Reader::from_reader(Characters::new(Box::new(input), charset, limits.bytes));
        xml.config_mut().check_comments = true;
        Self {
            xml,
            limits,
            buffer: Vec::new(),
            walk: Walk::new(limits),
            has_begun: false,
            has_doctype: false,
            awaits_markup: false,
            state: ReadState::Within,
        }
    }

    /// The next item. After the end it is the end again.
    ///
    /// # Errors
    /// When the bytes stop coming, the limits are passed, or what comes is no `VOTable` or
    /// not one to its end. Nothing that came before is a result then.
    #[expect(clippy::should_implement_trait, reason = "an item borrows from the reader")]
    pub fn next(&mut self) -> Result<TableItem<'_>, TableError> {
        if self.state == ReadState::Failed {
            let text = "nothing is read behind an error";
            return Err(ParseError::new(ParseErrorKind::BadXml, text).into());
        }
        loop {
            let is_at_end = self.state == ReadState::AtEnd;
            let step = if is_at_end { Ok(Step::End) } else { self.step() };
            match step {
                Ok(Step::Nothing) => {}
                Ok(Step::Table) => return Ok(TableItem::Table(&self.walk.result)),
                Ok(Step::Row) => return Ok(TableItem::Row(TableRow::new(&self.walk.result, &self.walk.row))),
                Ok(Step::End) => return Ok(TableItem::End(&self.walk.summary)),
                Err(error) => {
                    self.state = ReadState::Failed;
                    return Err(error);
                }
            }
        }
    }

    fn step(&mut self) -> Result<Step, TableError> {
        // One more, to see that a cell as long as it may be ends there.
        self.xml.get_mut().allow(self.limits.cell.saturating_add(1));
        match self.walk.open.last().copied() {
            Some(Element::Stream | Element::StreamEnd) => {
                if self.walk.take_binary_row()? {
                    return Ok(Step::Row);
                }
                if !self.walk.leave_stream() && self.feed()? {
                    return Ok(Step::Nothing);
                }
            }
            Some(Element::TableData) if !self.awaits_markup && self.take_plain_row() => {
                return Ok(Step::Row);
            }
            _ => {}
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
        let taken = plain_row::read(available, &self.walk.result, self.limits.cell, &mut self.walk.row);
        let Some(length) = taken else { return false };
        stream.consume(length);
        self.walk.summary.rows += 1;
        true
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
        self.walk.binary.feed(&available[..n_characters]);
        stream.consume(n_characters);
        Ok(n_characters > 0)
    }

    fn failure(&mut self, error: &dyn std::fmt::Display) -> TableError {
        let failure = self.xml.get_mut().take_failure();
        failure.unwrap_or_else(|| ill_formed(error).into())
    }

    fn take(&mut self, event: &Event<'_>) -> Result<Step, TableError> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        self.awaits_markup = matches!(event, Event::Text(_));
        match event {
            Event::Start(tag) => return self.walk.start(tag),
            Event::End(_) => return self.walk.end(),
            Event::Empty(tag) => {
                // Never both: a row that is empty is an error, and a table ends with its fields.
                let step = self.walk.start(tag)?;
                let ended = self.walk.end()?;
                return Ok(if matches!(step, Step::Nothing) { ended } else { step });
            }
            Event::Text(text) => self.walk.characters(decoded(text)?)?,
            Event::CData(text) if self.walk.open.is_empty() => {
                return Err(ill_formed(&"CDATA outside of the root element").into());
            }
            Event::CData(text) => self.walk.characters(decoded(text)?)?,
            Event::GeneralRef(reference) => self.reference(reference)?,
            Event::Comment(_) | Event::PI(_) => {}
            Event::Decl(_) if is_first => {}
            Event::Decl(_) => {
                return Err(ill_formed(&"an XML declaration that is not at the beginning").into());
            }
            Event::DocType(definition) => self.doctype(decoded(definition)?)?,
            Event::Eof => {
                self.walk.finish(!is_first)?;
                self.state = ReadState::AtEnd;
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
        if self.walk.has_root || std::mem::replace(&mut self.has_doctype, true) {
            return Err(ill_formed(&"a document type in the wrong place"));
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
        self.walk.characters(text)
    }
}

fn decoded(bytes: &[u8]) -> Result<&str, ParseError> {
    std::str::from_utf8(bytes).map_err(|error| ill_formed(&error))
}
