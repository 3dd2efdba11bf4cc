//! `{way}`: the name of the way that a job is run in. Only `compare` knows it; on
//! `serial` and `parallel` it is text like any other.

/// What stands for the name.
const WAY: &[u8] = b"{way}";

/// `text` with the name of `way` in it, and how often it is.
pub(super) fn named(text: &[u8], way: &str) -> (Vec<u8>, usize) {
    let mut named = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut times = 0;
    while let Some(at) = rest.windows(WAY.len()).position(|window| window == WAY) {
        named.extend_from_slice(&rest[..at]);
        named.extend_from_slice(way.as_bytes());
        rest = &rest[at + WAY.len()..];
        times += 1;
    }
    named.extend_from_slice(rest);
    (named, times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stands_wherever_it_is_asked_for() {
        assert_eq!(named(b"a > {way}/{}.{way}", "serial"), (b"a > serial/{}.serial".to_vec(), 2));
        assert_eq!(named(b"{ways}", "parallel"), (b"{ways}".to_vec(), 0));
    }
}
