//! Pictures as SVG text: five shapes, text, groups with a tooltip, and axes with
//! ticks at round numbers.
//!
//! Colours are classes, which the page around the picture gives a meaning in
//! the light and in the dark. Coordinates are rounded to a tenth, so that the
//! same study gives the same bytes. Does not know what is drawn.

use std::fmt::{self, Write as _};

use maud::PreEscaped;

use crate::report::timeline::{TimeUnit, round_step};
use crate::text::printable;

/// A picture being drawn, in units of its own: the page scales it.
pub(super) struct Svg {
    body: String,
    width: f64,
    height: f64,
    about: String,
}

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A coordinate, rounded to a tenth and as short as that can be written.
#[derive(Clone, Copy)]
pub(super) struct Tenth(pub(super) f64);

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
    pub(super) fn new(width: f64, height: f64, about: &str) -> Self {
        Self { body: String::new(), width, height, about: about.to_owned() }
    }

    /// A filled rectangle: where it begins, and its size.
    pub(super) fn rect(&mut self, class: &str, place: [f64; 4]) {
        self.open_rect(class, place);
        self.body.push_str("/>");
    }

    /// A filled rectangle with a tooltip.
    pub(super) fn rect_with_title(&mut self, class: &str, place: [f64; 4], title: &str) {
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
    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, y1, x2, y2) = (Tenth(from.0), Tenth(from.1), Tenth(to.0), Tenth(to.1));
        let _ =
            write!(self.body, "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
    }

    /// A line through several points.
    pub(super) fn polyline(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let points: Vec<String> =
            points.into_iter().map(|(x, y)| format!("{},{}", Tenth(x), Tenth(y))).collect();
        let _ = write!(self.body, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
    }

    /// A path of whatever `data` says, made of numbers by the caller.
    pub(super) fn path(&mut self, class: &str, data: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{data}\"/>");
    }

    /// A dot with a tooltip.
    pub(super) fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, title: &str) {
        let (x, y, radius) = (Tenth(x), Tenth(y), Tenth(radius));
        let title = escaped(title);
        let _ = write!(
            self.body,
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{title}</title></circle>"
        );
    }

    /// A text; where it is cut off is the page's business.
    pub(super) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
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
    pub(super) fn legend(&mut self, y: f64, entries: &[(&str, String)]) {
        let (x, y) = (Tenth(self.width - 4.0), Tenth(y));
        let _ = write!(self.body, "<text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"end\">");
        for (at, (class, name)) in entries.iter().enumerate() {
            let apart = if at > 0 { "\u{a0}\u{a0} " } else { "" };
            let _ = write!(self.body, "{apart}<tspan class=\"{class}\">■</tspan> {}", escaped(name));
        }
        self.body.push_str("</text>");
    }

    /// The picture as an element of a page.
    pub(super) fn finish(self) -> PreEscaped<String> {
        let (width, height, about) = (Tenth(self.width), Tenth(self.height), escaped(&self.about));
        let body = self.body;
        PreEscaped(format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{about}\">{body}</svg>"
        ))
    }
}

/// Values from 0 to `most` along the picture from `from` to `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    /// The last value.
    pub(super) most: f64,
    step: f64,
}

impl Axis {
    /// An axis that ends exactly at `most`, with about `n_ticks` ticks.
    pub(super) fn exact(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
        Self { from, to, most, step: round_step(most / n_ticks) }
    }

    /// An axis that ends at the first tick not below `most`.
    pub(super) fn rounded(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let exact = Self::exact(from, to, most, n_ticks);
        Self { most: (exact.most / exact.step - 1e-9).ceil() * exact.step, ..exact }
    }

    /// An axis of whole numbers.
    pub(super) fn counts(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let exact = Self::exact(from, to, most.max(1.0), n_ticks);
        // Of the round steps only 2.5 times a power of ten may not be whole.
        let step = match exact.step {
            step if step < 1.0 => 1.0,
            step if step.fract() > 0.0 => 2.0 * step,
            step => step,
        };
        Self { most: (exact.most / step - 1e-9).ceil() * step, step, ..exact }
    }

    /// The place of `value`; what is beyond an end is put there.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * (value / self.most).clamp(0.0, 1.0)
    }

    /// The round values from 0 on.
    fn ticks(&self) -> Vec<f64> {
        (0..1000)
            .map(|number| f64::from(number) * self.step)
            .take_while(|value| *value <= self.most * (1.0 + 1e-9))
            .collect()
    }

    /// A tick's number, with as many decimals as the step has.
    fn label(&self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let decimals = (0..6_usize).find(|&n| {
            let scaled = self.step * 10_f64.powf(n as f64);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        });
        format!("{value:.*}", decimals.unwrap_or(6))
    }

    /// Draws it as the horizontal one below a picture between `top` and `bottom`.
    pub(super) fn draw_below(&self, svg: &mut Svg, top: f64, bottom: f64, name: &str) {
        for tick in self.ticks() {
            let x = self.at(tick);
            svg.line("grid", (x, top), (x, bottom));
            svg.text("tick", (x, bottom + 15.0), Anchor::Middle, &self.label(tick));
        }
        svg.text("label", (self.to, bottom + 31.0), Anchor::End, name);
    }

    /// Draws it as the vertical one left of a picture between `left` and `right`.
    pub(super) fn draw_beside(&self, svg: &mut Svg, left: f64, right: f64, name: &str) {
        for tick in self.ticks() {
            let y = self.at(tick);
            svg.line("grid", (left, y), (right, y));
            svg.text("tick", (left - 6.0, y + 4.0), Anchor::End, &self.label(tick));
        }
        svg.text("label", (left, self.to - 9.0), Anchor::End, name);
    }
}

/// An axis of time, told in the unit that reads best.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeAxis {
    axis: Axis,
    unit: TimeUnit,
}

impl TimeAxis {
    /// One that ends exactly at `most` seconds, with about `n_ticks` ticks.
    pub(super) fn exact(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let unit = TimeUnit::of(most);
        Self { axis: Axis::exact(from, to, unit.scaled(most), n_ticks), unit }
    }

    /// One that ends at the first tick not below `most` seconds.
    pub(super) fn rounded(from: f64, to: f64, most: f64, n_ticks: f64) -> Self {
        let unit = TimeUnit::of(most);
        Self { axis: Axis::rounded(from, to, unit.scaled(most), n_ticks), unit }
    }

    /// The place of a moment; what is beyond an end is put there.
    pub(super) fn at(&self, seconds: f64) -> f64 {
        self.axis.at(self.unit.scaled(seconds))
    }

    /// A time as a share of the axis.
    pub(super) fn share(&self, seconds: f64) -> f64 {
        self.unit.scaled(seconds) / self.axis.most
    }

    /// Draws it below a picture between `top` and `bottom`: what lasts so long.
    pub(super) fn draw_below(&self, svg: &mut Svg, top: f64, bottom: f64, what: &str) {
        self.axis.draw_below(svg, top, bottom, &format!("{what}, {}", self.unit.name));
    }
}

/// About how wide a text of the usual size is drawn; a browser's fonts differ.
pub(super) fn text_width(text: &str) -> f64 {
    6.9 * text.chars().count() as f64
}

/// `text` for an element or an attribute in quotes, on one line but for line
/// feeds, and without what could act on a reader's screen.
pub(super) fn escaped(text: &str) -> String {
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
    use proptest::prelude::*;

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
        let drawn = svg.finish().0;
        assert!(drawn.contains("<title>&lt;/title&gt;&lt;script&gt;\\u{1b}]]&gt;&amp;</title>"), "{drawn}");
        assert!(drawn.contains("aria-label=\"a &quot;picture&quot; &lt;of&gt; things\""), "{drawn}");
        assert!(drawn.contains(">&#39;&gt;&lt;</text>"), "{drawn}");
    }

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(
            labels(&Axis::exact(0.0, 100.0, 1.25, 5.0)),
            ["0", "0.25", "0.50", "0.75", "1.00", "1.25"]
        );
        assert_eq!(labels(&Axis::rounded(0.0, 100.0, 730.0, 4.0)), ["0", "200", "400", "600", "800"]);
        assert_eq!(labels(&Axis::counts(0.0, 100.0, 2.0, 5.0)), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::counts(0.0, 100.0, 10.0, 4.0)), ["0", "5", "10"]);
        assert_eq!(labels(&Axis::exact(0.0, 100.0, 0.0, 5.0)).len(), 6);
    }

    proptest! {
        #[test]
        fn every_axis_has_a_few_ticks_within_it(most in 1e-9_f64..1e12) {
            for axis in [Axis::exact(0.0, 500.0, most, 5.0), Axis::rounded(0.0, 500.0, most, 5.0)] {
                let ticks = axis.ticks();
                prop_assert!((3..=7).contains(&ticks.len()), "{ticks:?}");
                prop_assert!(axis.at(most) <= 500.0 && axis.at(*ticks.last().unwrap()) <= 500.0);
            }
        }
    }
}
