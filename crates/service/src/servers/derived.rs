//! Ids that nobody draws: of what belongs to a server and has to have the same id whenever it is
//! shown.

use strongroom_model::id::ServerId;

/// Bytes of a UUID.
const BYTES: usize = 16;

/// The UUID (version 8) that belongs to a server and to one thing of it, as in `port 0`.
pub fn derived_id(server: ServerId, thing: &str) -> String {
    let material = [server.0.as_bytes(), thing.as_bytes()].concat();
    let hash = blake3::derive_key("strongroom 2026 ids of what belongs to a server", &material);
    let mut bytes = [0; BYTES];
    bytes.copy_from_slice(&hash[..BYTES]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = |range: std::ops::Range<usize>| -> String {
        bytes[range].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..BYTES)].join("-")
}

#[cfg(test)]
mod tests {
    use strongroom_model::chance::SeededChance;
    use strongroom_model::id::PortId;

    use super::*;

    #[test]
    fn the_same_thing_has_the_same_id_and_another_has_another() {
        let chance = SeededChance::new(1);
        let (one, two) = (ServerId::random(&chance), ServerId::random(&chance));
        let id = derived_id(one, "port 0");
        assert_eq!(id, derived_id(one, "port 0"));
        assert_ne!(id, derived_id(one, "port 1"));
        assert_ne!(id, derived_id(two, "port 0"));
        let parsed = PortId::parse(&id).unwrap();
        assert_eq!((parsed.to_string(), parsed.0.get_version_num()), (id, 8));
    }
}
