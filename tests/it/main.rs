//! Behaviour through the real binary: one integration binary, a file per topic.
