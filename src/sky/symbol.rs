//! What kinds of objects there are, and how each is drawn.

use crate::svg::Tenth;

/// A shape of its own for each kind of object, so that it is told without its colour, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// Stars, double stars, and what varies.
    Star,
    /// Galaxies, active or not, and groups of them.
    Galaxy,
    /// Quasars and blazars.
    Quasar,
    /// Nebulae, clouds, and what a star left behind.
    Nebula,
    /// Clusters of stars.
    Cluster,
    /// Known by a wave band alone: radio, infrared, X-rays.
    Waveband,
    /// Of another type, or of none that is known.
    Unknown,
}

impl ObjectKind {
    /// The kind that a catalogue's `type` means: a code of SIMBAD's or a word.
    pub fn of(object_type: &str) -> Self {
        let name = object_type.trim().trim_end_matches('?').trim_end_matches("_Candidate");
        if let Some(kind) = of_code(name) {
            return kind;
        }
        // A code with an asterisk is some star; the exceptions are above.
        if name.contains('*') {
            return Self::Star;
        }
        let words = name.to_lowercase();
        let is_any = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        match () {
            () if is_any(&["quasar", "qso", "blazar", "bl lac", "bllac"]) => Self::Quasar,
            () if is_any(&["open cluster", "globular", "star cluster", "association"]) => Self::Cluster,
            () if is_any(&["galax", "seyfert", "liner", "agn"]) => Self::Galaxy,
            () if is_any(&["neb", "supernova remnant", "snremnant", "hii", "cloud"]) => Self::Nebula,
            () if is_any(&["star", "dwarf", "binary", "cepheid", "mira", "rrlyr", "variable"]) => Self::Star,
            () if is_any(&["radio", "infrared", "x-ray", "ultraviolet", "gamma"]) => Self::Waveband,
            () if is_any(&["cluster"]) => Self::Galaxy,
            () => Self::Unknown,
        }
    }

    /// What a legend calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Star => "star",
            Self::Galaxy => "galaxy",
            Self::Quasar => "quasar",
            Self::Nebula => "nebula",
            Self::Cluster => "star cluster",
            Self::Waveband => "other waveband",
            Self::Unknown => "other or unknown",
        }
    }

    /// The class that gives it its colour.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Star => "sky-star",
            Self::Galaxy => "sky-galaxy",
            Self::Quasar => "sky-quasar",
            Self::Nebula => "sky-nebula",
            Self::Cluster => "sky-cluster",
            Self::Waveband => "sky-waveband",
            Self::Unknown => "sky-unknown",
        }
    }

    /// The shape around `(x, y)`, `radius` large, as the data of a path.
    pub(super) fn path(self, (x, y): (f64, f64), radius: f64) -> String {
        // Whole tenths, so that what is symmetric stays so when it is written down.
        let radius = (radius * 10.0).round() / 10.0;
        let at =
            |right: f64, down: f64| format!("{} {}", Tenth(x + right * radius), Tenth(y + down * radius));
        // Half of it there, half of it back.
        let ellipse = |long: f64, round: f64, lean: f64| {
            let (down, right) = lean.to_radians().sin_cos();
            let (right, down) = (long * right * radius, long * down * radius);
            let arc = format!("a{} {} {lean} 1 0", Tenth(long * radius), Tenth(round * radius));
            format!(
                "M{} {}{arc} {} {}{arc} {} {}z",
                Tenth(x - right),
                Tenth(y - down),
                Tenth(2.0 * right),
                Tenth(2.0 * down),
                Tenth(-2.0 * right),
                Tenth(-2.0 * down)
            )
        };
        match self {
            Self::Star | Self::Cluster => ellipse(1.0, 1.0, 0.0),
            Self::Galaxy => ellipse(1.25, 0.75, -35.0),
            Self::Quasar => {
                format!("M{}L{}L{}L{}z", at(0.0, -1.0), at(1.0, 0.0), at(0.0, 1.0), at(-1.0, 0.0))
            }
            Self::Nebula => {
                format!("M{}L{}L{}L{}z", at(-0.9, -0.9), at(0.9, -0.9), at(0.9, 0.9), at(-0.9, 0.9))
            }
            Self::Waveband => {
                format!("M{}L{}M{}L{}", at(-0.9, -0.9), at(0.9, 0.9), at(0.9, -0.9), at(-0.9, 0.9))
            }
            Self::Unknown => {
                format!("M{}L{}M{}L{}", at(-1.0, 0.0), at(1.0, 0.0), at(0.0, -1.0), at(0.0, 1.0))
            }
        }
    }
}

/// The codes of SIMBAD's object types that say nothing by their letters alone.
fn of_code(code: &str) -> Option<ObjectKind> {
    Some(match code {
        "G" | "GiP" | "GiG" | "GiC" | "BiC" | "EmG" | "SBG" | "bCG" | "LSB" | "LIN" | "AGN" | "AG"
        | "SyG" | "Sy1" | "Sy2" | "Sy" | "rG" | "H2G" | "IG" | "PaG" | "GrG" | "CGG" | "ClG" | "PCG"
        | "SCG" | "GiA" | "LeG" | "LeI" | "PoG" | "BH" => ObjectKind::Galaxy,
        "Q" | "QSO" | "BLL" | "BL" | "Bla" | "Bz" | "OVV" | "LeQ" => ObjectKind::Quasar,
        "PN" | "HII" | "SNR" | "SR" | "ISM" | "GNe" | "RNe" | "DNe" | "BNe" | "EmN" | "Cld" | "MoC"
        | "glb" | "cor" | "bub" | "sh" | "HVC" | "PoC" | "CGb" | "SFR" | "HH" | "of?" | "out" | "cir"
        | "Neb" => ObjectKind::Nebula,
        "GlC" | "Gl" | "OpC" | "OpCl" | "Cl*" | "C" | "As*" | "St*" | "MGr" | "SC*" => ObjectKind::Cluster,
        "SN" | "SB*" | "EB" | "XB" | "HXB" | "LXB" | "LX" | "HX" | "CV" | "Psr" | "No" | "WD" | "Pl" => {
            ObjectKind::Star
        }
        "Rad" | "rad" | "mR" | "cm" | "mm" | "smm" | "sub" | "HI" | "rB" | "Mas" | "IR" | "FIR" | "MIR"
        | "NIR" | "Opt" | "EmO" | "blu" | "UV" | "X" | "ULX" | "UX" | "gam" | "gB" | "GWE" => {
            ObjectKind::Waveband
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_simbad_and_words_are_understood() {
        for (kind, types) in [
            (ObjectKind::Star, "* ** V* PM* WD*? cC* a2* dS* HB* Ae* sg* EB* WD? Star SB* SN Psr LM* RRLyr"),
            (ObjectKind::Galaxy, "G GiP GiG EmG AGN AGN_Candidate Sy1 rG ClG GrG Galaxy galaxies G?"),
            (ObjectKind::Quasar, "QSO QSO? Q? BLL Bla quasar Blazar"),
            (ObjectKind::Nebula, "PN PN? HII SNR Cld MoC Nebula PlanetaryNeb RNe"),
            (ObjectKind::Cluster, "OpC GlC Cl* As* As*? Cl*?"),
            (ObjectKind::Waveband, "Rad IR X UV gam smm mm FIR NIR Radio"),
            (ObjectKind::Unknown, "? err reg unknown 7 \u{202e}"),
        ] {
            for name in types.split(' ') {
                assert_eq!(ObjectKind::of(name), kind, "{name}");
            }
        }
        assert_eq!(ObjectKind::of(" Open cluster "), ObjectKind::Cluster);
        assert_eq!(ObjectKind::of("planetary nebula"), ObjectKind::Nebula);
        assert_eq!(ObjectKind::of(""), ObjectKind::Unknown);
    }
}
