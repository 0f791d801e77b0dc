//! Sample volumes: bytes that look like what disks hold, the same for the same seed.

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

/// Bytes that do not compress.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    fill(seed, &mut bytes);
    bytes
}

/// Fills `bytes` by SplitMix64: tests make megabytes of this, and a cipher is slow unoptimised.
fn fill(seed: u64, bytes: &mut [u8]) {
    let mut state = seed;
    for word in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        word.copy_from_slice(&mixed.to_le_bytes()[..word.len()]);
    }
}

/// Bytes that compress about as well as text.
pub fn text(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let words: Vec<String> = (0..64).map(|_| format!("{:x} ", rng.next_u32() >> 8)).collect();
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        bytes.extend_from_slice(words[rng.random_range(0..words.len())].as_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// A disk: stretches of noise, text and zeros, each a few hundred KiB long.
pub fn disk(seed: u64, len: usize) -> Vec<u8> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let stretch = rng.random_range(1..=400_000).min(len - bytes.len());
        match rng.random_range(0..3) {
            0 => bytes.extend(noise(rng.next_u64(), stretch)),
            1 => bytes.extend(text(rng.next_u64(), stretch)),
            _ => bytes.resize(bytes.len() + stretch, 0),
        }
    }
    bytes
}

/// Overwrites `count` stretches of at most `longest` bytes at random places, some with zeros.
pub fn scribble(bytes: &mut [u8], seed: u64, count: usize, longest: usize) {
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..count {
        if bytes.is_empty() {
            return;
        }
        let start = rng.random_range(0..bytes.len());
        let end = (start + rng.random_range(1..=longest)).min(bytes.len());
        let place = &mut bytes[start..end];
        if rng.random_range(0..4) == 0 {
            place.fill(0);
        } else {
            fill(rng.next_u64(), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_disk_of_the_length_asked_for() {
        assert!(disk(1, 1_000_003) == disk(1, 1_000_003));
        assert!(disk(1, 100_000) != disk(2, 100_000));
        assert_eq!((text(1, 77).len(), noise(1, 0).len()), (77, 0));
    }

    #[test]
    fn scribbling_changes_a_volume_and_never_its_length() {
        let mut bytes = noise(1, 10_000);
        scribble(&mut bytes, 2, 3, 50_000);
        assert!(bytes.len() == 10_000 && bytes != noise(1, 10_000));
        scribble(&mut [], 2, 3, 10);
    }
}
