//! Charts as a page: by themselves, or below a view of the sky itself.
//!
//! The view is Aladin Lite (CDS), which the page loads by its URL; nothing of it is in the
//! page. Until it is there, and where it never comes, the charts stand for it.

use serde_json::{Value, json};

use super::chart::STYLE;
use super::sources::known_magnitude;
use super::{FinderChart, SkySource, shown};
use crate::sorting;
use crate::svg::escaped;
use crate::text::without_login;

/// Where Aladin Lite comes from unless something else is said: its newest release at CDS.
pub const ALADIN: &str = "https://aladin.cds.unistra.fr/AladinLite/api/v3/latest/aladin.js";

/// The width of the view in degrees, unless the cone needs more.
pub const FIELD_OF_VIEW: f64 = 0.45;

/// The images in the view, by their name at CDS.
const SURVEY: &str = "P/DSS2/color";

/// Sources of a cone that the view has at most.
const MOST_IN_VIEW: usize = 10_000;

/// Characters that the view shows of a name.
const LONGEST_IN_VIEW: usize = 120;

/// The browser itself is told to load nothing and to run nothing.
const POLICY: &str =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">";

/// Charts as one page that loads nothing and runs no script.
pub fn page(title: &str, charts: &[FinderChart<'_>]) -> String {
    whole(title, POLICY, &figures(charts))
}

/// A page with a view of the sky, in which the cones and what was found are marked.
#[derive(Clone, Copy, Debug)]
pub struct SkyPage<'a> {
    /// What the page is called.
    pub title: &'a str,
    /// One or more cones; each has its chart below the view.
    pub charts: &'a [FinderChart<'a>],
    /// Where the browser loads Aladin Lite from ([`ALADIN`], say): the classic script that CDS
    /// builds, or a module such as npm has, which browsers load over HTTP only.
    pub library: &'a str,
    /// The images: a name at CDS or the URL of a `HiPS`. `None` for the colours of the DSS.
    pub survey: Option<&'a str>,
    /// Width of the view in degrees; `None` for [`FIELD_OF_VIEW`], or more if the cone is larger.
    pub field_of_view: Option<f64>,
}

impl SkyPage<'_> {
    /// The page. It asks the network for the library, and that for its images.
    pub fn html(&self) -> String {
        let charts = figures(self.charts);
        let named = if self.charts.len() == 1 { "Static chart" } else { "Static charts" };
        let body = format!(
            "<p id=\"state\" role=\"status\" hidden></p>\
             <noscript><p>Aladin Lite is not shown: it needs JavaScript.</p></noscript>\
             <div id=\"view\" hidden><p id=\"choice\" hidden><label>Target <select id=\"target\"></select></label></p>\
             <div id=\"aladin\"></div><p id=\"found\"></p><table id=\"clicked\"></table></div>\
             <details id=\"charts\" open><summary>{named}</summary>{charts}</details>\n\
             <script type=\"application/json\" id=\"sky\">{}</script>\n<script>{}</script>",
            for_script(&self.data()),
            include_str!("page.js")
        );
        whole(self.title, "<meta name=\"referrer\" content=\"no-referrer\">", &body)
    }

    fn data(&self) -> Value {
        let targets = self.charts.iter().filter(|chart| chart.has_centre()).map(|chart| self.target(chart));
        json!({
            "library": self.library,
            "shown": shown(&without_login(self.library), 200),
            "survey": self.survey.unwrap_or(SURVEY),
            "targets": targets.collect::<Vec<Value>>(),
        })
    }

    fn target(&self, chart: &FinderChart<'_>) -> Value {
        let mut sources: Vec<&SkySource<'_>> = chart.sources.iter().collect();
        let dimness = |source: &SkySource<'_>| known_magnitude(source).unwrap_or(f64::INFINITY);
        sorting::sort_by(&mut sources, |one, other| dimness(one).total_cmp(&dimness(other)));
        sources.truncate(MOST_IN_VIEW);
        let row = |source: &&SkySource<'_>| {
            let kind = source.kind.map(|kind| shown(kind, LONGEST_IN_VIEW));
            let separation = super::separation(chart.centre, (source.ra, source.dec));
            json!([
                shown(source.id, LONGEST_IN_VIEW),
                source.ra,
                source.dec,
                kind,
                known_magnitude(source),
                separation
            ])
        };
        let wide = FIELD_OF_VIEW.max(2.4 * chart.radius).min(180.0);
        json!({
            "title": shown(chart.title, LONGEST_IN_VIEW),
            "ra": chart.centre.0,
            "dec": chart.centre.1,
            "radius": chart.radius,
            "fov": self.field_of_view.unwrap_or(wide),
            "found": chart.sources.len() as u64 + chart.more,
            "sources": sources.iter().map(row).collect::<Vec<Value>>(),
        })
    }
}

fn figures(charts: &[FinderChart<'_>]) -> String {
    let figures: String =
        charts.iter().map(|chart| format!("<figure>{}</figure>\n", chart.figure())).collect();
    format!("<div class=\"charts\">{figures}</div>")
}

fn whole(title: &str, head: &str, body: &str) -> String {
    let style = include_str!("page.css");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{head}\
         <title>{}</title>\n<style>{STYLE}{style}</style></head>\n<body>{body}</body></html>\n",
        escaped(&shown(title, LONGEST_IN_VIEW))
    )
}

/// A value within a script element: nothing in it can end that, or a line of it.
fn for_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}
