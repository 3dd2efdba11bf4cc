//! Which columns of a table are a magnitude and a type of object.

/// Columns by their number from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChartColumns {
    /// The magnitude that symbols are sized by.
    pub magnitude: Option<usize>,
    /// The type of object.
    pub kind: Option<usize>,
}

impl ChartColumns {
    /// What to take of a table whose columns have these names and UCDs (empty where one has
    /// none). UCDs of both kinds are known, 1+ (`phot.mag;em.opt.V`) and 1 (`PHOT_JHN_V`); of
    /// several magnitudes the one nearest to what an eye sees is taken, and of equals the first.
    pub fn of<'a>(columns: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut best = [(u8::MAX, None); 2];
        for (number, (name, ucd)) in columns.into_iter().enumerate() {
            let (name, ucd) = (name.trim().to_lowercase(), ucd.trim().to_lowercase());
            for (kept, rank) in best.iter_mut().zip([magnitude(&name, &ucd), kind(&name, &ucd)]) {
                if let Some(rank) = rank.filter(|rank| *rank < kept.0) {
                    *kept = (rank, Some(number));
                }
            }
        }
        Self { magnitude: best[0].1, kind: best[1].1 }
    }
}

/// How far a magnitude is from what an eye sees; `None` for what is no magnitude.
fn magnitude(name: &str, ucd: &str) -> Option<u8> {
    let words: Vec<&str> = ucd.split(';').map(str::trim).collect();
    let is_other = |word: &&str| {
        ["stat.", "arith.", "meta.", "phot.color", "pos."].iter().any(|start| word.starts_with(start))
    };
    // An error, a number of observations, a difference of two: some word of it says so.
    let is_error = words.iter().any(|word| is_other(word) && *word != "meta.main" && *word != "stat.mean");
    if is_error || ["e_", "n_", "o_", "err", "sig"].iter().any(|start| name.starts_with(start)) {
        return None;
    }
    if words.contains(&"phot.mag") {
        let band = words.iter().find_map(|word| word.strip_prefix("em."));
        return Some(10 + band.map_or(3, in_band));
    }
    // UCD 1: PHOT_JHN_V, PHOT_MAG_R; not PHOT_FLUX_..., PHOT_CI_B-V.
    if let Some(old) = ucd.strip_prefix("phot_")
        && !["flux", "ci_", "count", "ext", "bol"].iter().any(|start| old.starts_with(start))
    {
        return Some(10 + old.rsplit('_').next().map_or(3, |band| in_band(&format!("opt.{band}"))));
    }
    let is_known = ucd.is_empty()
        && (["mag", "magnitude", "v", "flux_v", "phot_g_mean_mag"].contains(&name) || name.ends_with("mag"));
    let rank = match name {
        "v" | "vmag" | "flux_v" | "v_mag" => 20,
        "gmag" | "phot_g_mean_mag" | "mag" | "magnitude" => 21,
        _ => 24,
    };
    is_known.then_some(rank)
}

/// How far a band is from what an eye sees.
fn in_band(band: &str) -> u8 {
    match band {
        "opt.v" => 0,
        "opt" | "opt.g" => 1,
        "opt.r" | "opt.b" => 2,
        _ if band.starts_with("opt") => 4,
        _ => 5,
    }
}

/// How surely a column is the type of object.
fn kind(name: &str, ucd: &str) -> Option<u8> {
    let words: Vec<&str> = ucd.split(';').map(str::trim).collect();
    match name {
        _ if words.first() == Some(&"src.class") || ucd == "class_object" => Some(10),
        "otype" | "otypes" | "otype_txt" | "main_type" => Some(20),
        "objtype" | "obj_type" | "object_type" | "objecttype" | "type" | "class" => Some(21),
        _ if words.contains(&"src.class") => Some(22),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(columns: &[(&str, &str)]) -> (Option<usize>, Option<usize>) {
        let found = ChartColumns::of(columns.iter().copied());
        (found.magnitude, found.kind)
    }

    #[test]
    fn magnitude_and_type_are_found_by_ucd_and_by_name() {
        let dachs = [
            ("_r", "pos.distance"),
            ("main_id", "ID_MAIN"),
            ("vmag", "phot.mag;em.opt.V"),
            ("otype", "src.class"),
        ];
        assert_eq!(of(&dachs), (Some(2), Some(3)));
        assert_eq!(of(&[("main_id", ""), ("otype", ""), ("V", ""), ("e_V", "")]), (Some(2), Some(1)));
        let gaia = [
            ("phot_g_mean_flux", "phot.flux;em.opt"),
            ("phot_g_mean_mag", "phot.mag;em.opt"),
            ("bp_rp", "phot.color;em.opt.B;em.opt.R"),
        ];
        assert_eq!(of(&gaia), (Some(1), None));
        assert_eq!(
            of(&[("Bmag", "PHOT_JHN_B"), ("Vmag", "PHOT_JHN_V"), ("B-V", "PHOT_CI_B-V")]),
            (Some(1), None)
        );
    }

    #[test]
    fn of_several_magnitudes_the_nearest_to_the_eye_is_taken() {
        let columns = [
            ("Jmag", "phot.mag;em.IR.J"),
            ("e_Vmag", "stat.error;phot.mag;em.opt.V"),
            ("Rmag", "phot.mag;em.opt.R"),
            ("Vmag", "phot.mag;em.opt.V"),
            ("Vmag2", "phot.mag;em.opt.V"),
        ];
        assert_eq!(of(&columns).0, Some(3));
        assert_eq!(of(&columns[..3]).0, Some(2));
        assert_eq!(of(&columns[..2]).0, Some(0));
    }

    #[test]
    fn what_is_neither_is_not_taken() {
        assert_eq!(
            of(&[
                ("pmra", "pos.pm;pos.eq.ra"),
                ("image", ""),
                ("sp_type", "src.spType"),
                ("nmag", "meta.number;phot.mag")
            ]),
            (None, None)
        );
        assert_eq!(of(&[]), (None, None));
    }
}
