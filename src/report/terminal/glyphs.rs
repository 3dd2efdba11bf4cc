//! The characters that pictures are made of.

/// One set of them.
#[derive(Clone, Copy, Debug)]
pub struct Glyphs {
    /// From empty to full, for heights and for the end of a bar.
    pub(super) heights: &'static [char],
    /// Parts of a cell, from the left: the last is the whole.
    pub(super) parts: &'static [char],
    /// A task, and the one after it in its lane.
    pub(super) tasks: [char; 2],
    /// Several tasks in one cell.
    pub(super) several: char,
    /// A task that failed.
    pub(super) failed: char,
    /// No task.
    pub(super) idle: char,
    /// The line up to a measured value.
    pub(super) line: char,
    /// A measured value.
    pub(super) measured: char,
    /// The ideal.
    pub(super) ideal: char,
}

impl Glyphs {
    /// Block elements and lines of Unicode, or plain ASCII.
    #[must_use]
    pub const fn of(unicode: bool) -> Self {
        if unicode { Self::UNICODE } else { Self::ASCII }
    }

    const UNICODE: Self = Self {
        heights: &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
        parts: &['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
        tasks: ['█', '▒'],
        several: '▓',
        failed: 'x',
        idle: '·',
        line: '━',
        measured: '●',
        ideal: '┊',
    };

    const ASCII: Self = Self {
        heights: &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
        parts: &['#'],
        tasks: ['#', '='],
        several: '%',
        failed: 'x',
        idle: '.',
        line: '-',
        measured: 'o',
        ideal: ':',
    };

    /// A bar of `length` cells, of which parts are allowed; something of what is
    /// above nothing can be seen.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    pub(super) fn bar(&self, length: f64) -> String {
        let steps = self.parts.len();
        let least = usize::from(length > 0.0);
        let filled = ((length.max(0.0) * steps as f64).round() as usize).max(least);
        let mut bar: String = std::iter::repeat_n(self.parts[steps - 1], filled / steps).collect();
        if !filled.is_multiple_of(steps) {
            bar.push(self.parts[filled % steps - 1]);
        }
        bar
    }

    /// How high `share` of the whole is.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    pub(super) fn height(&self, share: f64) -> char {
        let top = self.heights.len() - 1;
        let height = (share.clamp(0.0, 1.0) * self.heights.len() as f64) as usize;
        self.heights[height.min(top)]
    }
}
