//! Angles between places on the sphere, and the sphere on a plane.
//!
//! All angles are in degrees; a place is right ascension and declination.

/// The angle between two places, in degrees.
///
/// The arc tangent of the cross and the dot product of the two directions: right to the last
/// digits for places that touch, for poles and for opposite ones, where the arc cosine is not.
pub fn separation(one: (f64, f64), other: (f64, f64)) -> f64 {
    let Offset { east, north, toward } = Offset::between(one, other);
    east.hypot(north).atan2(toward).to_degrees()
}

/// The direction of one place as seen from another: a unit vector along east, north and the
/// line of sight there.
struct Offset {
    east: f64,
    north: f64,
    toward: f64,
}

impl Offset {
    fn between((ra0, dec0): (f64, f64), (ra, dec): (f64, f64)) -> Self {
        // In degrees as far as it goes: there RA 0 and 360 are the same place exactly.
        let east = ((ra - ra0) % 360.0).to_radians();
        let north = (dec - dec0).to_radians();
        let (sin0, cos0) = dec0.to_radians().sin_cos();
        let cos = dec.to_radians().cos();
        let half = (east / 2.0).sin();
        let bulge = 2.0 * half * half * cos;
        Self { east: cos * east.sin(), north: north.sin() + sin0 * bulge, toward: north.cos() - cos0 * bulge }
    }
}

/// The plane that touches the sphere at one place: the gnomonic projection (TAN of Calabretta
/// & Greisen 2002, A&A 395, 1077, section 5.1.3), in which great circles are straight.
#[derive(Clone, Copy, Debug)]
pub struct TangentPlane {
    touches: (f64, f64),
}

impl TangentPlane {
    /// The plane at right ascension and declination `touches`, in degrees.
    pub fn at(touches: (f64, f64)) -> Self {
        Self { touches }
    }

    /// Where on the plane `place` is seen, in degrees to the east and to the north. `None` for
    /// the half of the sky that is not seen there.
    pub fn project(&self, place: (f64, f64)) -> Option<(f64, f64)> {
        let Offset { east, north, toward } = Offset::between(self.touches, place);
        (toward > 0.0).then(|| ((east / toward).to_degrees(), (north / toward).to_degrees()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places as astropy projects them; its version is in the file.
    const GOLDEN: &str = include_str!("../../tests/data/sky/tan.csv");

    #[test]
    fn a_thousand_places_are_where_astropy_has_them() {
        let mut worst = (0.0_f64, 0.0_f64);
        let mut n_places = 0;
        for line in GOLDEN.lines().skip(2) {
            let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
            let [ra0, dec0, ra, dec, east, north, apart] = fields[..] else { panic!("{line}") };
            let (x, y) = TangentPlane::at((ra0, dec0)).project((ra, dec)).unwrap();
            worst.0 = worst.0.max((x - east).hypot(y - north));
            worst.1 = worst.1.max((separation((ra0, dec0), (ra, dec)) - apart).abs());
            n_places += 1;
        }
        assert_eq!(n_places, 1000);
        assert!(worst.0 < 2e-13 && worst.1 < 2e-13, "off by up to {worst:?} degrees");
    }
}
