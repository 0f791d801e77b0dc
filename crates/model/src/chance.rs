//! Randomness as an argument: ids, nonces, jitter.

use std::sync::Mutex;

use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

/// A source of random bytes that a caller passes in.
pub trait Chance: Send + Sync + std::fmt::Debug {
    /// Fills `buf` with random bytes.
    fn fill(&self, buf: &mut [u8]);

    /// A random version 4 UUID.
    fn uuid(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Chance from the operating system's generator; the only one fit for keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn fill(&self, buf: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place where chance comes from"
        )]
        rand::rng().fill_bytes(buf);
    }
}

/// Chance that repeats itself from a seed, for tests and simulations.
#[derive(Debug)]
pub struct SeededChance(Mutex<StdRng>);

impl SeededChance {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Chance for SeededChance {
    fn fill(&self, buf: &mut [u8]) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_itself_and_makes_version_four_ids() {
        let (a, b) = (SeededChance::new(7), SeededChance::new(7));
        let id = a.uuid();
        assert_eq!(id, b.uuid());
        assert_ne!(id, a.uuid());
        assert_eq!(id.get_version_num(), 4);
    }
}
