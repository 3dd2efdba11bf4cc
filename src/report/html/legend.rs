//! What stands for what in a picture: the very line, box or dot, and its name.

use maud::{Markup, PreEscaped, html};

/// A name, and what stands for it.
pub(super) struct NamedSwatch {
    swatch: Swatch,
    class: String,
    name: String,
}

/// How it is drawn.
#[derive(Clone, Copy)]
enum Swatch {
    Area,
    Line,
    Dot,
}

impl NamedSwatch {
    /// An area of a colour.
    pub(super) fn area(class: &str, name: impl Into<String>) -> Self {
        Self { swatch: Swatch::Area, class: class.to_owned(), name: name.into() }
    }

    /// A line, dashes and all.
    pub(super) fn line(class: &str, name: impl Into<String>) -> Self {
        Self { swatch: Swatch::Line, ..Self::area(class, name) }
    }

    /// A dot.
    pub(super) fn dot(class: &str, name: impl Into<String>) -> Self {
        Self { swatch: Swatch::Dot, ..Self::area(class, name) }
    }

    fn drawn(&self) -> Markup {
        let class = &self.class;
        let (wide, shape) = match self.swatch {
            Swatch::Area => (11, format!("<rect class=\"{class}\" width=\"11\" height=\"11\"/>")),
            Swatch::Line => (28, format!("<line class=\"{class}\" x1=\"0\" y1=\"6\" x2=\"28\" y2=\"6\"/>")),
            Swatch::Dot => (11, format!("<circle class=\"{class}\" cx=\"5.5\" cy=\"6\" r=\"4.5\"/>")),
        };
        html! {
            span {
                svg.key width=(wide) height="12" aria-hidden="true" { (PreEscaped(shape)) }
                " " (self.name)
            }
        }
    }
}

/// The entries in a line, or in several where there is no room.
pub(super) fn legend(entries: &[NamedSwatch]) -> Markup {
    html! { @if !entries.is_empty() { p.legend { @for entry in entries { (entry.drawn()) } } } }
}
