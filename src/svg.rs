//! Pictures as SVG text: a few shapes, text, and tooltips.
//!
//! Colours are classes, which the page around the picture gives a meaning in
//! the light and in the dark. Coordinates are rounded, so that the same study
//! gives the same bytes. A picture has units of its own, or is as wide as there is
//! room: then what is horizontal is in per cent, and texts keep their size. Does not
//! know what is drawn.

use std::fmt::{self, Write as _};

use crate::text::printable;

/// A picture being drawn.
pub struct Svg {
    body: String,
    breadth: Breadth,
    height: f64,
    about: String,
}

/// How wide a picture is.
#[derive(Clone, Copy)]
enum Breadth {
    /// So many units, which the page scales.
    Units(f64),
    /// As wide as there is room, with a class that says where that is.
    Fluid(&'static str),
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

/// A coordinate in per cent of a picture's width, rounded to a hundredth: a tenth of a
/// pixel on a wide screen.
#[derive(Clone, Copy)]
pub struct Hundredth(pub f64);

impl fmt::Display for Tenth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rounded(self.0, 1))
    }
}

impl fmt::Display for Hundredth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rounded(self.0, 2))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and NaN is 0")]
fn rounded(value: f64, decimals: u32) -> String {
    let one = 10_u64.pow(decimals);
    let parts = (value * one as f64).round() as i64;
    let sign = if parts < 0 { "-" } else { "" };
    let (whole, rest) = (parts.unsigned_abs() / one, parts.unsigned_abs() % one);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let rest = format!("{rest:0wide$}", wide = decimals as usize);
    format!("{sign}{whole}.{}", rest.trim_end_matches('0'))
}

impl Svg {
    /// A picture of this size; `about` says what it shows to those who cannot see it.
    pub fn new(width: f64, height: f64, about: &str) -> Self {
        Self { body: String::new(), breadth: Breadth::Units(width), height, about: about.to_owned() }
    }

    /// One so many pixels high and as wide as its `class` of the page lets it be:
    /// horizontal places and lengths are in per cent of that.
    pub fn fluid(class: &'static str, height: f64, about: &str) -> Self {
        let breadth = Breadth::Fluid(class);
        Self { body: String::new(), breadth, height, about: about.to_owned() }
    }

    /// A horizontal place or length as an attribute has it.
    fn across(&self, x: f64) -> String {
        match self.breadth {
            Breadth::Units(_) => Tenth(x).to_string(),
            Breadth::Fluid(_) => format!("{}%", Hundredth(x)),
        }
    }

    /// What has no per cent is drawn in units of a hundredth of the width.
    fn stretched(&mut self, shape: &str) {
        if let Breadth::Units(_) = self.breadth {
            self.body += shape;
            return;
        }
        let height = Tenth(self.height);
        let _ = write!(
            self.body,
            "<svg class=\"stretched\" viewBox=\"0 0 100 {height}\" preserveAspectRatio=\"none\" \
             width=\"100%\" height=\"{height}\">{shape}</svg>"
        );
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
        let (x, width) = (self.across(x), self.across(width.max(0.0)));
        let (y, height) = (Tenth(y), Tenth(height.max(0.0)));
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\""
        );
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, x2) = (self.across(from.0), self.across(to.0));
        let (y1, y2) = (Tenth(from.1), Tenth(to.1));
        let _ =
            write!(self.body, "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
    }

    /// A line through several points.
    pub fn polyline(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let across = |x| match self.breadth {
            Breadth::Units(_) => Tenth(x).to_string(),
            Breadth::Fluid(_) => Hundredth(x).to_string(),
        };
        let points: Vec<String> =
            points.into_iter().map(|(x, y)| format!("{},{}", across(x), Tenth(y))).collect();
        self.stretched(&format!("<polyline class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    /// A path of whatever `data` says, made of numbers by the caller.
    pub fn path(&mut self, class: &str, data: &str) {
        self.stretched(&format!("<path class=\"{class}\" d=\"{data}\"/>"));
    }

    /// A path with a tooltip.
    pub fn path_with_title(&mut self, class: &str, data: &str, title: &str) {
        let title = escaped(title);
        self.stretched(&format!("<path class=\"{class}\" d=\"{data}\"><title>{title}</title></path>"));
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        let (x, y, radius) = (self.across(x), Tenth(y), Tenth(radius));
        let _ = write!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }

    /// A dot with a tooltip.
    pub fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, title: &str) {
        let (x, y, radius) = (self.across(x), Tenth(y), Tenth(radius));
        let title = escaped(title);
        let _ = write!(
            self.body,
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{title}</title></circle>"
        );
    }

    /// A text; where it is cut off is the page's business.
    pub fn text(&mut self, class: &str, place: (f64, f64), anchor: Anchor, text: &str) {
        self.text_beside(class, place, 0.0, anchor, text);
    }

    /// A text so many pixels, or units, to the right of a place.
    pub fn text_beside(&mut self, class: &str, (x, y): (f64, f64), by: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let by = if by == 0.0 { String::new() } else { format!(" dx=\"{}\"", Tenth(by)) };
        let (x, y, text) = (self.across(x), Tenth(y), escaped(text));
        let _ = write!(self.body, "<text class=\"{class}\" x=\"{x}\"{by} y=\"{y}\"{anchor}>{text}</text>");
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
        let (height, about, body) = (Tenth(self.height), escaped(&self.about), self.body);
        let size = match self.breadth {
            Breadth::Units(width) => format!("viewBox=\"0 0 {} {height}\"", Tenth(width)),
            Breadth::Fluid(class) => format!("class=\"{class}\" height=\"{height}\""),
        };
        format!("<svg {attributes}{size} role=\"img\" aria-label=\"{about}\">{head}{body}</svg>")
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
        let shown: Vec<String> =
            [0.0, 0.004, 0.05, 33.333, -7.5, 100.0].map(|value| Hundredth(value).to_string()).into();
        assert_eq!(shown, ["0", "0", "0.05", "33.33", "-7.5", "100"]);
    }

    #[test]
    fn a_picture_as_wide_as_there_is_room_is_in_per_cent_across_and_in_pixels_down() {
        let mut svg = Svg::fluid("plot", 40.0, "a box");
        svg.rect("box", [25.0, 4.0, 50.0, 20.0]);
        svg.text_beside("label", (25.0, 12.0), -6.0, Anchor::End, "here");
        svg.polyline("curve", [(0.0, 40.0), (33.333, 0.0)]);
        let drawn = svg.finish();
        assert!(drawn.starts_with("<svg class=\"plot\" height=\"40\" role=\"img\""), "{drawn}");
        assert!(drawn.contains("x=\"25%\" y=\"4\" width=\"50%\" height=\"20\""), "{drawn}");
        assert!(drawn.contains("x=\"25%\" dx=\"-6\" y=\"12\" text-anchor=\"end\">here<"), "{drawn}");
        assert!(drawn.contains("viewBox=\"0 0 100 40\" preserveAspectRatio=\"none\""), "{drawn}");
        assert!(drawn.contains("points=\"0,40 33.33,0\""), "{drawn}");
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
