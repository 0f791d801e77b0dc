//! What the service can do.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn features_are_a_bare_map_and_their_keys_hold_dots() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    let all = cbr.get("/v3/{p}/cbr-features").await.expect(200);
    assert_eq!(all["replication.enable"], false);
    assert_eq!(all["replication.destination_regions"], json!([]));
    for (key, value) in all.as_object().unwrap() {
        let one = cbr.get(&format!("/v3/{{p}}/cbr-features/{key}")).await.expect(200);
        assert_eq!(one, json!({ key: value }));
    }
    let page = cbr.get("/v3/{p}/cbr-features?limit=1&offset=1").await.expect(200);
    assert_eq!(page, json!({"features.bccrack_enable": false}));
    let beyond = cbr.get("/v3/{p}/cbr-features?offset=1000").await.expect(200);
    assert_eq!(beyond, json!({}));
}

#[tokio::test]
async fn an_unknown_feature_is_a_bad_request() {
    let world = World::new().await;
    let cbr = world.cbr(&world.admin);
    for key in ["x", "replication.enable.json", "%20", "a%2Fb"] {
        let refused = cbr.get(&format!("/v3/{{p}}/cbr-features/{key}")).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{key}");
    }
    for query in ["limit=0", "limit=1001", "limit=x", "offset=-1", "offset=1001"] {
        let refused = cbr.get(&format!("/v3/{{p}}/cbr-features?{query}")).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{query}");
    }
}
