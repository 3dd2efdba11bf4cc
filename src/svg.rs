//! Pictures as SVG text: a few shapes, text, and tooltips.
//!
//! Colours are classes, which the page around the picture gives a meaning in
//! the light and in the dark. Coordinates are rounded to a tenth, so that the
//! same study gives the same bytes. Does not know what is drawn.

use std::fmt::{self, Write as _};

use crate::text::printable;

/// A picture being drawn, in units of its own: the page scales it.
pub struct Svg {
    body: String,
    width: f64,
    height: f64,
    about: String,
}

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A coordinate, rounded to a tenth and as short as that can be written.
#[derive(Clone, Copy)]
pub struct Tenth(pub f64);

impl fmt::Display for Tenth {
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and NaN is 0")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        let (whole, rest) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
        if rest == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{rest}") }
    }
}

impl Svg {
    /// A picture of this size; `about` says what it shows to those who cannot see it.
    pub fn new(width: f64, height: f64, about: &str) -> Self {
        Self { body: String::new(), width, height, about: about.to_owned() }
    }

    /// A filled rectangle: where it begins, and its size.
    pub fn rect(&mut self, class: &str, place: [f64; 4]) {
        self.open_rect(class, place);
        self.body.push_str("/>");
    }

    /// A filled rectangle with a tooltip.
    pub fn rect_with_title(&mut self, class: &str, place: [f64; 4], title: &str) {
        self.open_rect(class, place);
        let _ = write!(self.body, "><title>{}</title></rect>", escaped(title));
    }

    fn open_rect(&mut self, class: &str, [x, y, width, height]: [f64; 4]) {
        let (x, y, width, height) = (Tenth(x), Tenth(y), Tenth(width.max(0.0)), Tenth(height.max(0.0)));
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\""
        );
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, y1, x2, y2) = (Tenth(from.0), Tenth(from.1), Tenth(to.0), Tenth(to.1));
        let _ =
            write!(self.body, "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
    }

    /// A line through several points.
    pub fn polyline(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let points: Vec<String> =
            points.into_iter().map(|(x, y)| format!("{},{}", Tenth(x), Tenth(y))).collect();
        let _ = write!(self.body, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
    }

    /// A path of whatever `data` says, made of numbers by the caller.
    pub fn path(&mut self, class: &str, data: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{data}\"/>");
    }

    /// A path with a tooltip.
    pub fn path_with_title(&mut self, class: &str, data: &str, title: &str) {
        let title = escaped(title);
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{data}\"><title>{title}</title></path>");
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let (x, y, radius) = (Tenth(x), Tenth(y), Tenth(radius));
        let _ = write!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }

    /// A dot with a tooltip.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, title: &str) {
        let (x, y, radius) = (Tenth(x), Tenth(y), Tenth(radius));
        let title = escaped(title);
        let _ = write!(
            self.body,
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{title}</title></circle>"
        );
    }

    /// A text; where it is cut off is the page's business.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, text) = (Tenth(x), Tenth(y), escaped(text));
        let _ = write!(self.body, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>{text}</text>");
    }

    /// Small squares with names, at height `y` up to the right edge. One text, so
    /// that no reader's font sets them too far apart.
    pub fn legend(&mut self, y: f64, entries: &[(&str, String)]) {
        let (x, y) = (Tenth(self.width - 4.0), Tenth(y));
        let _ = write!(self.body, "<text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"end\">");
        for (at, (class, name)) in entries.iter().enumerate() {
            let apart = if at > 0 { "\u{a0}\u{a0} " } else { "" };
            let _ = write!(self.body, "{apart}<tspan class=\"{class}\">■</tspan> {}", escaped(name));
        }
        self.body.push_str("</text>");
    }

    /// The picture as an element of a page.
    pub fn finish(self) -> String {
        self.whole("", "")
    }

    /// The picture as a file of its own, with the style sheet that a page would have.
    pub fn finish_alone(self, style: &str) -> String {
        self.whole("xmlns=\"http://www.w3.org/2000/svg\" ", &format!("<style>{style}</style>")) + "\n"
    }

    fn whole(self, attributes: &str, head: &str) -> String {
        let (width, height, about) = (Tenth(self.width), Tenth(self.height), escaped(&self.about));
        let body = self.body;
        format!(
            "<svg {attributes}viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{about}\">{head}{body}</svg>"
        )
    }
}

/// About how wide a text of the usual size is drawn; a browser's fonts differ.
pub fn text_width(text: &str) -> f64 {
    // What East Asian fonts draw in a square, and pictures.
    let is_wide = |character| matches!(character, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{3fffd}');
    text.chars().map(|character| if is_wide(character) { 12.0 } else { 6.9 }).sum()
}

/// `text` for an element or an attribute in quotes, on one line but for line
/// feeds, and without what could act on a reader's screen.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    for character in lines.join("\n").chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_never_below_zero_by_rounding() {
        let shown: Vec<String> =
            [0.0, -0.04, 1.0, 1.05, -2.25, 12.34, 1e20].map(|value| Tenth(value).to_string()).into();
        assert_eq!(shown, ["0", "0", "1", "1.1", "-2.3", "12.3", "922337203685477580.7"]);
        assert_eq!(Tenth(f64::NAN).to_string(), "0");
    }

    #[test]
    fn no_text_leaves_its_place() {
        let mut svg = Svg::new(10.0, 10.0, "a \"picture\" <of> things");
        svg.rect_with_title("box", [0.0, 0.0, 1.0, 1.0], "</title><script>\u{1b}]]>&");
        svg.text("label", (0.0, 0.0), Anchor::Middle, "'><");
        let drawn = svg.finish();
        assert!(drawn.contains("<title>&lt;/title&gt;&lt;script&gt;\\u{1b}]]&gt;&amp;</title>"), "{drawn}");
        assert!(drawn.contains("aria-label=\"a &quot;picture&quot; &lt;of&gt; things\""), "{drawn}");
        assert!(drawn.contains(">&#39;&gt;&lt;</text>"), "{drawn}");
    }
}
