//! Charts as their readers see them: what is in them, where, and that names stay text.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::field::Extent;
use super::*;
use crate::svg::text_width;

/// Sources of three cones of 0.04 degrees, from a made-up catalogue.
const SKY: &str = include_str!("../../tests/data/sky/sky.csv");

const NGC_4782: (f64, f64) = (193.648_583_3, -12.568_444_4);

fn sources(field: &str) -> Vec<SkySource<'static>> {
    let rows = SKY.lines().filter_map(|line| line.split_once(',')).filter(|(of, _)| *of == field);
    let source = |(_, row): (&str, &'static str)| {
        let [id, ra, dec, magnitude, kind] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let degrees = |text: &str| text.parse().unwrap();
        SkySource {
            id,
            ra: degrees(ra),
            dec: degrees(dec),
            kind: Some(kind),
            magnitude: magnitude.parse().ok(),
        }
    };
    rows.map(source).collect()
}

fn source(id: &'static str, (ra, dec): (f64, f64), magnitude: Option<f64>) -> SkySource<'static> {
    SkySource { id, ra, dec, kind: None, magnitude }
}

/// The chart of a cone of 0.04 degrees.
fn chart(centre: (f64, f64), sources: &[SkySource<'_>]) -> String {
    FinderChart { title: "a place", centre, radius: 0.04, sources, more: 0 }.svg()
}

/// The texts of a class.
fn texts(svg: &str, class: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let of_class = |node: &Node<'_, '_>| {
        node.has_tag_name(("http://www.w3.org/2000/svg", "text")) && node.attribute("class") == Some(class)
    };
    document.descendants().filter(of_class).map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

/// What is said of each symbol.
fn tooltips(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let titles = document.descendants().filter(|node| node.tag_name().name() == "title");
    titles.map(|node| node.text().unwrap_or_default().to_owned()).collect()
}

fn n_elements(text: &str) -> usize {
    Document::parse(text).unwrap().descendants().filter(Node::is_element).count()
}

#[test]
fn the_chart_of_ngc_4782_has_all_its_sources_and_a_legend_of_no_more() {
    let sources = sources("ngc4782");
    let svg =
        FinderChart { title: "NGC 4782", centre: NGC_4782, radius: 0.04, sources: &sources, more: 0 }.svg();
    assert_eq!(tooltips(&svg).len(), 35);
    assert!(tooltips(&svg).contains(&"NGC 4783 · GiP · mag 11.5 · 40.8″ from the centre".to_owned()));
    assert_eq!(texts(&svg, "sky-title"), ["NGC 4782"]);
    let notes = texts(&svg, "sky-note");
    assert_eq!(
        notes,
        [
            "12h54m35.66s −12°34′06.4″ (ICRS) · radius 0.04° · 35 sources",
            "magnitude",
            "1 without a magnitude, drawn small"
        ]
    );
    let legend = texts(&svg, "sky-text");
    assert_eq!(legend, ["star", "galaxy", "quasar", "nebula", "other waveband", "9", "15", "21"]);
    let about = "aria-label=\"Finder chart of NGC 4782: 12h54m35.66s −12°34′06.4″ (ICRS) · radius 0.04° · 35 sources\"";
    assert!(svg.contains(about), "{svg}");
    // Ten names, the scale, N and E.
    let names = texts(&svg, "sky-name");
    assert_eq!(names.len(), 13, "{names:?}");
    assert!(names.contains(&"NGC 4782".to_owned()) && names.contains(&"1′".to_owned()));
}

#[test]
fn north_is_up_and_east_is_left() {
    let (ra, dec) = NGC_4782;
    let svg =
        chart(NGC_4782, &[source("north", (ra, dec + 0.02), None), source("east", (ra + 0.02, dec), None)]);
    let document = Document::parse(&svg).unwrap();
    let start = |of: &str| {
        let title = document.descendants().find(|node| {
            node.text().is_some_and(|text| text.starts_with(of)) && node.tag_name().name() == "title"
        });
        let path = title.unwrap().parent().unwrap().attribute("d").unwrap();
        let numbers: Vec<f64> =
            path[1..].split(['a', ' ']).take(2).map(|number| number.parse().unwrap()).collect();
        (numbers[0], numbers[1])
    };
    let ((x, y), (left, level)) = (start("north"), start("east"));
    let (middle, centre) = (field::MIDDLE.0, field::MIDDLE.1);
    assert!((x + 4.0 - middle).abs() < 0.2 && y < centre - 100.0, "{x} {y}");
    assert!(left < middle - 100.0 && (level - centre).abs() < 0.2, "{left} {level}");
}

#[test]
fn around_a_pole_there_is_a_meridian_every_two_hours_and_a_word_about_the_arrows() {
    let svg = chart((123.4, 89.985), &sources("north"));
    let labels = texts(&svg, "sky-coordinate");
    assert_eq!(labels, ["06h", "08h", "10h", "+89°56′", "+89°58′"]);
    assert!(texts(&svg, "sky-note").contains(&"N and E as at the centre".to_owned()));
    assert_eq!(svg.matches("<polyline class=\"sky-grid\"").count(), 12 + 2 + 1, "a circle is cut once");
    assert_eq!(tooltips(&svg).len(), 19);
}

#[test]
fn at_right_ascension_zero_hours_go_on_from_24_to_0() {
    let svg = chart((0.000_833, 0.000_556), &sources("ra0"));
    let labels = texts(&svg, "sky-coordinate");
    assert_eq!(labels[..5], ["23h59m50s", "23h59m55s", "00h00m00s", "00h00m05s", "00h00m10s"]);
    assert_eq!(labels[5..], ["−00°02′", "+00°00′", "+00°02′"]);
    assert_eq!(tooltips(&svg).len(), sources("ra0").len());
    // The same place by another number.
    let around = FinderChart {
        title: "a place",
        centre: (-359.999_167, 0.000_556),
        radius: 0.04,
        sources: &sources("ra0"),
        more: 0,
    };
    assert_eq!(around.svg(), svg);
}

#[test]
fn of_5000_sources_the_1000_brightest_are_drawn_in_whatever_order_they_came() {
    let of = |number: u32| {
        let (right, up) = (f64::from(number % 71) / 71.0, f64::from(number / 71) / 71.0);
        let magnitude = (!number.is_multiple_of(10)).then(|| 8.0 + f64::from(number * 7919 % 5000) / 500.0);
        source("one", (10.0 + 0.05 * right, 0.05 * up), magnitude)
    };
    let mut sources: Vec<SkySource<'_>> = (0..5000).map(of).collect();
    let svg = chart((10.025, 0.025), &sources);
    assert_eq!(tooltips(&svg).len(), 1000);
    assert!(tooltips(&svg).iter().all(|title| title.contains("mag ")));
    assert_eq!(texts(&svg, "sky-note")[2], "the 1,000 brightest of 5,000 are drawn");
    sources.reverse();
    assert_eq!(chart((10.025, 0.025), &sources), svg);
    assert!(svg.len() < 300_000, "{} bytes", svg.len());
}

#[test]
fn sources_that_were_not_kept_are_counted_and_what_stands_for_no_magnitude_is_not_bright() {
    let kept = |id: &str, magnitude| ConeSource {
        id: id.to_owned(),
        ra: 10.0,
        dec: 45.0,
        magnitude,
        ..ConeSource::default()
    };
    let mut sources = vec![
        kept("null", Some(-999.0)),
        kept("none", None),
        kept("dim", Some(20.0)),
        kept("bright", Some(9.0)),
    ];
    let more = keep_brightest(&mut sources, 3);
    let ids: Vec<&str> = sources.iter().map(|source| source.id.as_str()).collect();
    assert_eq!((ids, more), (vec!["bright", "dim", "null"], 1));
    let rows: Vec<SkySource<'_>> = sources.iter().map(SkySource::from).collect();
    let svg =
        FinderChart { title: "a place", centre: (10.0, 45.0), radius: 0.04, sources: &rows, more: 4000 }
            .svg();
    let notes = texts(&svg, "sky-note");
    assert!(notes[0].ends_with(" · 4,003 sources"), "{notes:?}");
    assert_eq!(notes[2], "the 3 brightest of 4,003 are drawn");
}

#[test]
fn an_empty_cone_has_a_chart_that_says_so() {
    let svg = chart((10.0, 45.0), &[]);
    assert_eq!(texts(&svg, "sky-note")[1..], ["no sources"]);
    assert_eq!(texts(&svg, "sky-text").len(), 0);
    assert_eq!(texts(&svg, "sky-coordinate").len(), 3 + 3);
}

#[test]
fn without_magnitudes_and_types_all_are_alike_and_the_legend_says_so() {
    let one = SkySource { magnitude: Some(99.99), kind: Some(" "), ..source("a", (10.0, 45.01), None) };
    let svg = chart((10.0, 45.0), &[one, source("b", (10.01, 45.0), Some(f64::NAN))]);
    assert_eq!(texts(&svg, "sky-text"), ["source"]);
    assert_eq!(texts(&svg, "sky-note")[1..], ["no magnitudes: all are drawn alike"]);
}

#[test]
fn what_cannot_be_drawn_is_told_in_the_chart() {
    let told = |centre, radius| {
        let svg =
            FinderChart { title: "x", centre, radius, sources: &[source("a", (10.0, 45.0), None)], more: 0 }
                .svg();
        assert_eq!(texts(&svg, "sky-note"), ["1 source"]);
        texts(&svg, "sky-text").join(" ")
    };
    assert_eq!(told((10.0, 45.0), 55.0), "No chart: a radius of 55° is not between 0.0000001° and 40°.");
    assert_eq!(told((10.0, 45.0), 0.0), "No chart: a radius of 0° is not between 0.0000001° and 40°.");
    assert_eq!(told((10.0, 95.0), 0.1), "No chart: the centre is not a position.");
    assert_eq!(told((1e9, 0.0), 0.1), "No chart: the centre is not a position.");
    assert_eq!(told((f64::NAN, 0.0), 0.1), "No chart: the centre is not a position.");
}

#[test]
fn a_source_that_is_not_in_the_field_is_counted() {
    let svg = chart(
        (10.0, 45.0),
        &[
            source("near", (10.0, 45.0), None),
            source("far", (190.0, -45.0), None),
            source("none", (f64::NAN, f64::INFINITY), None),
        ],
    );
    assert_eq!(tooltips(&svg).len(), 1);
    assert!(texts(&svg, "sky-note").contains(&"2 outside of the field".to_owned()));
}

#[test]
fn names_are_cut_and_none_acts_on_its_reader() {
    let long = "a very long name ".repeat(20);
    let rows = [
        SkySource { id: &long, ..source("", (10.0, 45.02), Some(1.0)) },
        source("</text><script>alert(1)</script>", (10.0, 44.99), Some(2.0)),
        source("\u{202e}evil\u{1b}[2J", (10.02, 45.0), Some(3.0)),
        source("two\n  lines & more", (9.98, 45.0), Some(4.0)),
        source(" ", (9.99, 45.0), Some(5.0)),
    ];
    let names = texts(&chart((10.0, 45.0), &rows), "sky-name");
    let names = &names[3..];
    assert_eq!(
        names,
        [
            "a very long name a very lo…",
            "</text><script>alert(1)</s…",
            "\\u{202e}evil\\u{1b}[2J",
            "two lines & more"
        ]
    );
}

#[test]
fn a_chart_and_a_page_of_charts_load_nothing() {
    let sources = sources("ngc4782");
    let charts =
        [FinderChart { title: "NGC 4782", centre: NGC_4782, radius: 0.04, sources: &sources, more: 0 }; 2];
    let svg = charts[0].svg();
    let page = page("two charts", &charts);
    assert_eq!(page.matches("<svg viewBox").count(), 2);
    assert_eq!(page.matches("<style>").count(), 1);
    for text in [svg.replacen("http://www.w3.org/2000/svg", "", 1), page.clone()] {
        for word in ["http:", "https:", "url(", "@import", "href", "src=", "<script", "xlink"] {
            assert!(!text.contains(word), "{word}");
        }
    }
    assert!(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
}

#[test]
fn a_small_chart_is_drawn_to_the_last_digit() {
    let rows = [
        SkySource { kind: Some("G"), ..source("middle", (10.0, 45.0), Some(9.0)) },
        SkySource { kind: Some("*"), ..source("east", (10.03, 45.0), Some(12.5)) },
        SkySource { kind: Some("QSO"), ..source("north", (10.0, 45.03), None) },
    ];
    let figure =
        FinderChart { title: "three", centre: (10.0, 45.0), radius: 0.04, sources: &rows, more: 0 }.figure();
    insta::assert_snapshot!(figure.replace("><", ">\n<"), @r#"
    <svg viewBox="0 0 760 778" role="img" aria-label="Finder chart of three: 00h40m00.00s +45°00′00.0″ (ICRS) · radius 0.04° · 3 sources">
    <rect class="sky-paper" x="0" y="0" width="760" height="778"/>
    <text class="sky-title" x="84" y="27">three</text>
    <text class="sky-note" x="84" y="48">00h40m00.00s +45°00′00.0″ (ICRS) · radius 0.04° · 3 sources</text>
    <polyline class="sky-grid" points="603.9,702 603.6,62"/>
    <polyline class="sky-grid" points="404,702 404,62"/>
    <polyline class="sky-grid" points="204.1,702 204.4,62"/>
    <polyline class="sky-grid" points="724,607.9 675.7,607.9 585.1,607.9 494.6,608 404,608 313.4,608 222.9,607.9 132.3,607.9 84,607.9"/>
    <polyline class="sky-grid" points="724,381.9 675.5,381.9 585,382 494.5,382 404,382 313.5,382 223,382 132.5,381.9 84,381.9"/>
    <polyline class="sky-grid" points="724,155.9 675.4,155.9 584.9,156 494.5,156 404,156 313.5,156 223.1,156 132.6,155.9 84,155.9"/>
    <circle class="sky-ring" cx="404" cy="382" r="271.2"/>
    <text class="sky-coordinate" x="603.9" y="719" text-anchor="middle">00h39m50s</text>
    <text class="sky-coordinate" x="404" y="719" text-anchor="middle">00h40m00s</text>
    <text class="sky-coordinate" x="204.1" y="719" text-anchor="middle">00h40m10s</text>
    <text class="sky-coordinate" x="77" y="611.9" text-anchor="end">+44°58′</text>
    <text class="sky-coordinate" x="77" y="385.9" text-anchor="end">+45°00′</text>
    <text class="sky-coordinate" x="77" y="159.9" text-anchor="end">+45°02′</text>
    <polyline class="sky-bar" points="100,677 100,682 213,682 213,677"/>
    <text class="sky-name" x="156.5" y="674" text-anchor="middle">1′</text>
    <polyline class="sky-arrow" points="698,632 698,676 654,676"/>
    <polyline class="sky-arrow" points="694.5,639 698,632 701.5,639"/>
    <polyline class="sky-arrow" points="661,672.5 654,676 661,679.5"/>
    <text class="sky-name" x="698" y="626" text-anchor="middle">N</text>
    <text class="sky-name" x="648" y="680" text-anchor="end">E</text>
    <path class="sky-galaxy" d="M395.8 387.7a10 6 -35 1 0 16.4 -11.5a10 6 -35 1 0 -16.4 11.5z">
    <title>middle · G · mag 9 · 0″ from the centre</title>
    </path>
    <path class="sky-star" d="M257.8 382a2.4 2.4 0 1 0 4.8 0a2.4 2.4 0 1 0 -4.8 0z">
    <title>east · * · mag 12.5 · 1.27′ from the centre</title>
    </path>
    <path class="sky-quasar" d="M404 176.2L406.4 178.6L404 181L401.6 178.6z">
    <title>north · QSO · 1.8′ from the centre</title>
    </path>
    <line class="sky-mark" x1="416" y1="382" x2="430" y2="382"/>
    <line class="sky-mark" x1="392" y1="382" x2="378" y2="382"/>
    <line class="sky-mark" x1="404" y1="394" x2="404" y2="408"/>
    <line class="sky-mark" x1="404" y1="370" x2="404" y2="356"/>
    <text class="sky-name" x="434" y="386">middle</text>
    <text class="sky-name" x="266.6" y="386">east</text>
    <text class="sky-name" x="410.4" y="182.6">north</text>
    <rect class="sky-frame" x="84" y="62" width="640" height="640"/>
    <path class="sky-star" d="M86 738a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"/>
    <text class="sky-text" x="104" y="742">star</text>
    <path class="sky-galaxy" d="M144.7 741.6a6.3 3.8 -35 1 0 10.2 -7.2a6.3 3.8 -35 1 0 -10.2 7.2z"/>
    <text class="sky-text" x="162.8" y="742">galaxy</text>
    <path class="sky-quasar" d="M221.1 733L226.1 738L221.1 743L216.1 738z"/>
    <text class="sky-text" x="234.1" y="742">quasar</text>
    <text class="sky-note" x="84" y="765">magnitude</text>
    <path class="sky-star" d="M152.9 761a8 8 0 1 0 16 0a8 8 0 1 0 -16 0z"/>
    <text class="sky-text" x="173.9" y="765">9</text>
    <path class="sky-star" d="M196.3 761a4.8 4.8 0 1 0 9.6 0a4.8 4.8 0 1 0 -9.6 0z"/>
    <text class="sky-text" x="214.1" y="765">11</text>
    <path class="sky-star" d="M245.9 761a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0 -3.2 0z"/>
    <text class="sky-text" x="260.5" y="765">13</text>
    <text class="sky-note" x="286.9" y="765">1 without a magnitude, drawn small</text>
    </svg>
    "#);
}

/// The data that the sky page hands its script.
fn data(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"sky\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn the_sky_page_names_the_library_once_and_nothing_else_to_load() {
    let sources = sources("ngc4782");
    let charts =
        [FinderChart { title: "NGC 4782", centre: NGC_4782, radius: 0.04, sources: &sources, more: 0 }];
    let page =
        SkyPage { title: "NGC 4782", charts: &charts, library: ALADIN, survey: None, field_of_view: None };
    let html = page.html();
    let data = data(&html);
    assert_eq!((&data["library"], &data["survey"]), (&ALADIN.into(), &"P/DSS2/color".into()));
    let target = &data["targets"][0];
    assert_eq!((target["fov"].as_f64(), target["radius"].as_f64()), (Some(0.45), Some(0.04)));
    assert_eq!(target["sources"].as_array().unwrap().len(), 35);
    assert_eq!(target["sources"][34][0], "TS NGC4782-27", "what has no magnitude comes last");
    assert!(html.contains("log: false"));
    let rest = html.replace(ALADIN, "");
    for word in ["http:", "https:", " src=", " href=", "url(", "@import"] {
        assert!(!rest.contains(word), "{word}");
    }
    // The chart is there before any script runs.
    assert!(html.find("<svg ").unwrap() < html.find("<script").unwrap());
    let wide = [FinderChart { radius: 0.5, ..charts[0] }];
    let wide = SkyPage { charts: &wide, library: "http://u:secret@h/a.js", ..page }.html();
    assert_eq!(self::data(&wide)["targets"][0]["fov"], 1.2);
    assert_eq!(self::data(&wide)["shown"], "http://u:***@h/a.js");
}

#[test]
fn nothing_in_the_data_ends_the_script_it_is_in() {
    let id = "</script><script>alert(1)</script><!--\u{2028}\u{2029}\u{202e}";
    let rows = [SkySource { kind: Some(id), ..source(id, NGC_4782, Some(f64::INFINITY)) }];
    let charts = [
        FinderChart { title: id, centre: NGC_4782, radius: 0.04, sources: &rows, more: 0 },
        FinderChart { title: id, centre: (f64::NAN, 0.0), radius: 0.04, sources: &[], more: 0 },
    ];
    let page = SkyPage {
        title: id,
        charts: &charts,
        library: "</script>\u{2028}",
        survey: Some(id),
        field_of_view: Some(2.0),
    };
    let html = page.html();
    assert_eq!(html.matches("</script>").count(), 2, "{html}");
    assert_eq!(html.matches("<script").count(), 2);
    assert!(!html.contains(['\u{2028}', '\u{2029}']));
    let data = data(&html);
    assert_eq!(data["library"], "</script>\u{2028}");
    assert_eq!(data["targets"].as_array().unwrap().len(), 1, "a place that is none is not shown");
    assert_eq!(data["targets"][0]["fov"], 2.0);
    let shown = "</script><script>alert(1)</script><!-- \\u{202e}";
    assert_eq!(
        data["targets"][0]["sources"][0],
        serde_json::json!([shown, NGC_4782.0, NGC_4782.1, shown, null, 0.0])
    );
}

/// What a service may send as a name.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[<>&\"'/=;: ]{1,3}",
        "\\PC{0,8}",
        Just("</script>".to_owned()),
        Just("]]>".to_owned()),
        Just("<!--".to_owned()),
        "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{202a}-\u{202e}\u{2028}\u{fffe}]{1,2}",
        any::<char>().prop_map(String::from),
        "(long ){0,80}"
    ];
    proptest::collection::vec(pieces, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_a_name_holds_it_stays_text(title in hostile(), id in hostile(), kind in hostile()) {
        let row = |id, kind| [SkySource { id, ra: 10.0, dec: 45.0, kind: Some(kind), magnitude: Some(1.0) }];
        let (tame, wild) = (row("x", "x"), row(&id, &kind));
        let tame = FinderChart { title: "x", centre: (10.0, 45.0), radius: 0.04, sources: &tame, more: 0 };
        let wild = FinderChart { title: &title, sources: &wild, ..tame };
        let expected = n_elements(&tame.svg()) - usize::from(id.trim().is_empty());
        prop_assert_eq!(n_elements(&wild.svg()), expected);
        let names = texts(&wild.svg(), "sky-name");
        prop_assert!(names.iter().all(|name| name.chars().count() <= 27 && !name.contains(char::is_control)));
        let page = SkyPage { title: &title, charts: &[wild], library: &id, survey: None, field_of_view: None };
        let html = page.html();
        prop_assert_eq!(html.matches("<script").count(), 2);
        prop_assert_eq!(html.to_lowercase().matches("</script").count(), 2);
        prop_assert_eq!(&data(&html)["library"], &id);
    }

    #[test]
    fn whatever_the_numbers_a_chart_is_drawn_and_stays_small(
        ra in any::<f64>(), dec in any::<f64>(), radius in any::<f64>(),
        rows in proptest::collection::vec((any::<f64>(), any::<f64>(), any::<Option<f64>>()), 0..20),
    ) {
        let rows: Vec<SkySource<'_>> = rows.into_iter().map(|(ra, dec, magnitude)| source("x", (ra, dec), magnitude)).collect();
        for (centre, radius) in [((ra, dec), radius), ((ra % 360.0, dec % 90.0), radius.abs() % 40.0), ((ra % 360.0, dec % 90.0), 40.0)] {
            let chart = FinderChart { title: "x", centre, radius, sources: &rows, more: 0 };
            let svg = chart.svg();
            prop_assert!(Document::parse(&svg).is_ok());
            prop_assert!(svg.len() < 40_000, "{} bytes", svg.len());
            let page = SkyPage { title: "x", charts: &[chart], library: "x", survey: None, field_of_view: None };
            prop_assert!(data(&page.html())["targets"].is_array());
        }
    }

    #[test]
    fn no_name_covers_another_or_leaves_the_field(
        places in proptest::collection::vec((-0.04..0.04, -0.04..0.04, 0.0..20.0, 0_usize..40), 0..60),
    ) {
        let long = "abcdefghij".repeat(4);
        let rows = places.iter().map(|(east, north, magnitude, length)| SkySource {
            id: &long[..*length], ra: 10.0 + east, dec: *north, kind: None, magnitude: Some(*magnitude),
        });
        let svg = chart((10.0, 0.0), &rows.collect::<Vec<_>>());
        let document = Document::parse(&svg).unwrap();
        let names = document.descendants().filter(|node| node.attribute("class") == Some("sky-name"));
        let extents: Vec<Extent> = names.map(|name| {
            let [x, y] = ["x", "y"].map(|axis| name.attribute(axis).unwrap().parse::<f64>().unwrap());
            let width = text_width(name.text().unwrap());
            let left = x - width * match name.attribute("text-anchor") { None => 0.0, Some("middle") => 0.5, _ => 1.0 };
            // What is written down is rounded.
            Extent::new((left + 0.1, y - 9.0), (left + width - 0.1, y + 2.0))
        }).collect();
        prop_assert!((3..=13).contains(&extents.len()));
        for (number, extent) in extents.iter().enumerate() {
            prop_assert!(Extent::FIELD.holds(extent), "{extent:?}");
            prop_assert!(!extents[..number].iter().any(|other| other.meets(extent)), "{extent:?}");
        }
    }

    #[test]
    fn every_field_has_a_grid_that_is_told(ra in 0.0..360.0, dec in -90.0..=90.0, power in -6.9..1.6) {
        let svg = FinderChart { title: "x", centre: (ra, dec), radius: 10_f64.powf(power), sources: &[], more: 0 }.svg();
        let labels = texts(&svg, "sky-coordinate");
        let n_of = |unit: &[char]| labels.iter().filter(|label| label.ends_with(unit)).count();
        prop_assert!((1..=9).contains(&n_of(&['h', 'm', 's'])), "{labels:?}");
        prop_assert!((1..=9).contains(&n_of(&['°', '′', '″'])), "{labels:?}");
        let mut unlike = labels.clone();
        unlike.sort();
        unlike.dedup();
        prop_assert_eq!(unlike.len(), labels.len(), "digits enough to tell them apart");
    }
}
