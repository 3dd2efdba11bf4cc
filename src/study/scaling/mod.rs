//! How the speed-up grows with the width: what a sweep measured, and the laws
//! of Amdahl and Gunther fitted to it.
//!
//! Pure arithmetic on a study's columns. Does not know how a curve is drawn.

mod fit;
mod gauss_newton;
mod sweep;

pub use fit::{Fit, Law, NoFit};
pub use sweep::{Base, Point, Scaling, karp_flatt};
