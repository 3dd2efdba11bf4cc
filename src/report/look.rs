//! How text looks: what a stream can show, decided elsewhere and handed down.

use crate::style::Styles;

/// How the text looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The colours.
    pub styles: Styles,
    /// Whether lines may be drawn with Unicode.
    pub unicode: bool,
    /// How many columns there are to draw in.
    pub width: usize,
    /// Whether there are pictures beside the table.
    pub pictures: Pictures,
}

/// Whether there are pictures beside the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// Text alone.
    Hidden,
    /// Bars, lanes and sweeps.
    Drawn,
}

impl Look {
    /// Without colours or pictures, 80 columns wide.
    #[must_use]
    pub const fn plain() -> Self {
        Self { styles: Styles::plain(), unicode: true, width: 80, pictures: Pictures::Hidden }
    }
}
