//! Every spelling of a list made beside astropy, and texts of every kind.

use proptest::prelude::*;

use super::*;

const SPELLINGS: &str = include_str!("../../../tests/data/vo/coords.tsv");

/// The characters that `\\u2212`, `\\xb0` and `\\t` stand for.
fn spelled_out(text: &str) -> String {
    let mut pieces = text.split('\\');
    let mut out = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let n_digits = match &piece[..1] {
            "u" => 4,
            "x" => 2,
            "t" => 0,
            other => panic!("\\{other}"),
        };
        let (digits, rest) = piece[1..].split_at(n_digits);
        let code = if n_digits == 0 { 9 } else { u32::from_str_radix(digits, 16).unwrap() };
        out.push(char::from_u32(code).unwrap());
        out += rest;
    }
    out
}

#[test]
fn every_spelling_is_read_as_it_is_meant_or_refused() {
    let mut n_spellings = 0;
    for line in SPELLINGS.lines().skip(1) {
        let mut columns = line.split('\t');
        let (spelling, expected) = (spelled_out(columns.next().unwrap()), columns.next().unwrap());
        let found = read(&spelling);
        n_spellings += 1;
        let Some((ra, dec)) = expected.split_once(' ') else {
            assert!(found.is_err(), "{spelling:?} is {found:?}");
            continue;
        };
        let found = found.unwrap_or_else(|error| panic!("{spelling:?}: {error}"));
        let (ra, dec): (f64, f64) = (ra.parse().unwrap(), dec.parse().unwrap());
        let is_near = |one: f64, other: f64| (one - other).abs() < 1e-12;
        assert!(is_near(found.ra, ra) && is_near(found.dec, dec), "{spelling:?} is {found:?}");
        assert!(looks_like_position(&spelling), "{spelling:?}");
    }
    assert!(n_spellings > 80);
}

#[test]
fn a_short_j_name_is_known_to_a_minute_only() {
    assert!(read("J1254-1234").unwrap().is_coarse && read("J1254-123406").unwrap().is_coarse);
    assert!(!read("J125435-123406").unwrap().is_coarse && !read("12:54 -12:34").unwrap().is_coarse);
}

#[test]
fn a_position_may_be_labelled_as_papers_do() {
    let expected = read("12:54:35.6 -12:34:06").unwrap();
    for text in [
        "α=12h54m35.6s, δ=−12°34′06″ (J2000)",
        "(ICRS) RA: 12 54 35.6 Dec: -12 34 06",
        "FK5 12:54:35.6 -12:34:06",
        "12 : 54 : 35.6 -12 : 34 : 06",
        "[12h 54m 35.6s, -12° 34' 06'']",
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
        assert!(looks_like_position(text), "{text}");
    }
}

#[test]
fn names_do_not_look_like_positions() {
    for name in [
        "NGC4782",
        "m1",
        "M 31",
        "HD 48915",
        "3C 273",
        "47 Tuc",
        "61 Cyg",
        "1E1207.4-5209",
        "4U 1820-30",
        "B 335",
        "[SBW2007] 5",
        "2MASX J12543570-1234070",
        "S 308",
        "l Pup",
        "b Per",
        "J. Herschel",
        "α Cen",
        "",
        "nan nan",
        "\u{3b7} Car",
        "SDSS J1254-1234",
        "1RXS J170849.0-400910",
        "WISE 0855-0714",
        "5 Ser",
        "g Her",
        "20000 Varuna",
    ] {
        assert!(!looks_like_position(name), "{name}");
    }
    for position in [
        "193.64",
        "400 10",
        "12:61:00 +10:00:00",
        "B1950 12 52 00 -12 18 00",
        "J12543-123406",
        "l=303.9 b=50.3",
    ] {
        assert!(looks_like_position(position) && read(position).is_err(), "{position}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    for (text, reason) in [
        ("193.64", "one number"),
        ("193.64 -12.56 0.04", "3 numbers"),
        ("B1950 12:52:00 -12:18:00", "B1950"),
        ("FK4 12:52:00 -12:18:00", "B1950"),
        ("l=303.9 b=50.3", "galactic"),
        ("193.64rad 1rad", "radians"),
        ("12:61:00 +10:00:00", "60 minutes"),
        ("12h54m35.6s -12h34m06s", "hours"),
        ("193.64 -90.1", "-90 and 90"),
        ("400 10", "-180 and 360"),
        ("193.64 -12:34:06", "hours or degrees"),
        ("12:54:35.6s -12:34:06", "mixed"),
        ("24:00:01 10", "24 hours"),
        ("193,64 -12,56", "comma"),
        ("12 N 13", "no N or S"),
    ] {
        let told = read(text).unwrap_err().to_string();
        assert!(told.contains(reason), "{text}: {told}");
    }
    for (text, ra, dec) in
        [("24:00:00 10", 0.0, 10.0), ("9e-05 1.5e+01", 9e-5, 15.0), ("12:00:00 -12.5", 180.0, -12.5)]
    {
        assert_eq!(read(text), Ok(SkyPosition { ra, dec, is_coarse: false }), "{text}");
    }
}

#[test]
fn a_radius_has_a_unit_or_is_in_degrees() {
    for (text, degrees) in [
        ("0.04", 0.04),
        ("2.4m", 0.04),
        ("144s", 0.04),
        ("2.4arcmin", 0.04),
        ("144\"", 0.04),
        ("144''", 0.04),
        ("2.4\u{2032}", 0.04),
        ("144 arcsec", 0.04),
        ("4e-2", 0.04),
        ("4e-2deg", 0.04),
        ("+0.04\u{b0}", 0.04),
        ("180", 180.0),
    ] {
        assert!((read_radius(text).unwrap() - degrees).abs() < 1e-15, "{text}");
    }
    for text in
        ["", "0", "-1", "-0.5m", "180.1", "nan", "inf", "1e999", "2.4h", "2.4mas", "m", "1 2", "0x1", "1d2m"]
    {
        assert!(read_radius(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,40}", parts in "[-+0-9.,:hmsdJB '\"\u{2212}\u{b0}a-z=]{0,40}") {
        for text in [&text, &parts] {
            let _ = (read(text), read_radius(text), looks_like_position(text));
        }
    }

    #[test]
    fn degrees_are_read_to_the_last_digit(ra in 0.0..360.0, dec in -90.0..=90.0) {
        let expected = SkyPosition { ra, dec, is_coarse: false };
        prop_assert_eq!(read(&format!("{ra} {dec}")), Ok(expected));
        prop_assert_eq!(read(&format!("({ra:?}, {dec:?})")), Ok(expected));
    }

    #[test]
    fn every_form_of_a_position_is_the_same_place(h in 0..24, m in 0..60, s in 0..6000, d in 0..90, am in 0..60, north: bool) {
        let sign = if north { '+' } else { '-' };
        let (s, cs) = (s / 100, s % 100);
        let forms = [
            format!("{h:02}:{m:02}:{s:02}.{cs:02} {sign}{d:02}:{am:02}:{s:02}"),
            format!("{h} {m} {s}.{cs:02} {sign}{d} {am} {s}"),
            format!("{h}h{m}m{s}.{cs:02}s{sign}{d}d{am}m{s}s"),
            format!("{h}h {m}m {s}.{cs:02}s, {sign}{d}\u{b0}{am}'{s}\""),
            format!("J{h:02}{m:02}{s:02}.{cs:02}{sign}{d:02}{am:02}{s:02}"),
        ];
        let first = read(&forms[0]).unwrap();
        for form in &forms {
            prop_assert_eq!(read(form), Ok(first), "{}", form);
        }
    }
}
