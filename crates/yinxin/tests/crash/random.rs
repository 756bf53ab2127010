//! Numbers that a seed decides.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// A small generator (splitmix64): good enough to choose among deeds.
pub struct Random(u64);

/// A seed that nobody chose.
pub fn any_seed() -> u64 {
    RandomState::new().hash_one(0)
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one less than `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a small number");
        usize::try_from(self.next() % bound).expect("less than a usize")
    }

    /// Another generator, whose numbers this one's do not disturb.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }
}
