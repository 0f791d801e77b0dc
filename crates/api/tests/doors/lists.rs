//! Lists of backups: filters, order, pages, counts.

use serde_json::{Value, json};

use crate::world::{Client, World};

fn names(body: &Value) -> Vec<&str> {
    let items = body["backups"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap_or("")).collect()
}

/// Backups `b`, `a`, `c%`, in that order, of two volumes.
async fn three_backups(member: &Client<'_>) -> [String; 2] {
    let first = member.make_volume("v1").await;
    let second = member.make_volume("v2").await;
    member.make_backup(&first, "b").await;
    member.make_backup(&second, "a").await;
    member.make_backup(&first, "c%").await;
    [first, second]
}

// T-10: a name is no id, and a filter by name is exact.
#[tokio::test]
async fn t10_names_are_looked_up_by_filter() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let [first, _] = three_backups(&member).await;
    for version in ["v2", "v3"] {
        for id in ["a", "c%25", "c%20d", "%FF", "1234", "..%2F.."] {
            let path = format!("/{version}/{{p}}/backups/{id}");
            assert_eq!(member.get(&path).await.status, 404, "{path}");
        }
        for (query, expected) in [
            ("name=a", vec!["a"]),
            ("name=A", vec![]),
            ("name=", vec![]),
            ("name=b&name=a", vec!["a"]),
            ("status=available&name=b", vec!["b"]),
            ("status=error_restoring", vec![]),
            ("status=nonsense", vec![]),
        ] {
            let path = format!("/{version}/{{p}}/backups?{query}");
            assert_eq!(names(&member.get(&path).await.expect(200)), expected, "{query}");
        }
        let path = format!("/{version}/{{p}}/backups/detail?volume_id={first}");
        assert_eq!(names(&member.get(&path).await.expect(200)), ["c%", "b"]);
    }
}

#[tokio::test]
async fn likes_are_plain_text_from_3_31() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    let [first, _] = three_backups(&member).await;
    let part = &first[4..20].to_uppercase();
    for (query, expected) in [
        ("name~=C", vec!["c%"]),
        ("name%7E=%25", vec!["c%"]),
        ("name~=_", vec![]),
        ("status~=AVAIL&name~=b", vec!["b"]),
        (&format!("volume_id~={part}"), vec!["c%", "b"]),
    ] {
        let path = format!("/v3/{{p}}/backups?{query}");
        let body = member.at("3.31").get(&path).await.expect(200);
        assert_eq!(names(&body), expected, "{query}");
        // Before, and in version 2, they are unknown and dropped.
        for path in [path.clone(), path.replace("v3", "v2")] {
            let body = member.at("3.30").get(&path).await.expect(200);
            assert_eq!(names(&body), ["c%", "a", "b"], "{path}");
        }
    }
}

// T-11: all_tenants never hurts. T-17: booleans as Python writes them.
#[tokio::test]
async fn t11_t17_unknown_filters_are_dropped_or_refused() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    three_backups(&member).await;
    for flag in ["False", "True", "0", "1", "true"] {
        let path = format!("/v3/{{p}}/backups?all_tenants={flag}");
        let body = member.at("3.71").get(&path).await.expect(200);
        assert_eq!(names(&body).len(), 3);
    }
    let path = "/v3/{p}/backups?color=red&host=h&name=a";
    assert_eq!(names(&member.at("3.30").get(path).await.expect(200)), ["a"]);
    assert_eq!(names(&member.get(&path.replace("v3", "v2")).await.expect(200)), ["a"]);
    let refused = member.at("3.31").get(path).await.refusal(400);
    assert_eq!(refused, "Invalid filters color,host are found in query options.");
    // For an admin an unknown attribute is one that nothing has.
    let admin = world.volume(&alpha.admin);
    assert!(names(&admin.at("3.31").get(path).await.expect(200)).is_empty());
    let refused = member.get("/v3/{p}/backups?all_tenants=2").await.refusal(400);
    assert_eq!(refused, "all_tenants must be a boolean, got '2'.");
}

// T-15: a count if and only if it is asked for. T-17.
#[tokio::test]
async fn t15_t17_a_count_only_when_asked() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    three_backups(&member).await;
    for flag in ["True", "1", "yes"] {
        let path = format!("/v3/{{p}}/backups/detail?with_count={flag}&limit=2");
        let body = member.at("3.45").get(&path).await.expect(200);
        assert_eq!((body["count"].as_u64(), names(&body).len()), (Some(3), 2));
    }
    let off = member.at("3.45").get("/v3/{p}/backups?with_count=False").await.expect(200);
    assert!(off.get("count").is_none());
    let plain = member.at("3.71").get("/v3/{p}/backups").await.expect(200);
    assert!(plain.get("count").is_none());
    let path = "/v3/{p}/backups?with_count=maybe";
    let refused = member.at("3.45").get(path).await.refusal(400);
    assert_eq!(refused, "Value 'maybe' for 'with_count' is not a boolean.");
    let refused = member.at("3.44").get(path).await.refusal(400);
    assert_eq!(refused, "Invalid filters with_count are found in query options.");
    assert_eq!(member.at("3.30").get(path).await.status, 200);
}

// T-16: cinderclient writes display_name for name.
#[tokio::test]
async fn t16_orders() {
    let (world, alpha, _) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    three_backups(&member).await;
    for (query, expected) in [
        ("", ["c%", "a", "b"]),
        ("sort=display_name:asc", ["a", "b", "c%"]),
        ("sort=display_name", ["c%", "b", "a"]),
        ("sort=size,display_name:asc", ["a", "b", "c%"]),
        ("sort_key=created_at&sort_dir=asc", ["b", "a", "c%"]),
        ("sort_key=container_format&sort_dir=asc", ["b", "a", "c%"]),
    ] {
        for version in ["v2", "v3"] {
            let path = format!("/{version}/{{p}}/backups?{query}");
            assert_eq!(names(&member.get(&path).await.expect(200)), expected, "{path}");
        }
    }
    let by_name = "/v3/{p}/backups?sort_key=name&sort_dir=asc";
    let refused = member.at("3.36").get(by_name).await.refusal(400);
    assert_eq!(refused, "Invalid input received: Invalid sort key");
    for (client, path) in
        [(member.at("3.37"), by_name), (member.clone(), &by_name.replace("v3", "v2"))]
    {
        assert_eq!(names(&client.get(path).await.expect(200)), ["a", "b", "c%"]);
    }
}

#[tokio::test]
async fn pages_and_their_bounds() {
    let (world, alpha, beta) = World::with_projects().await;
    let member = world.volume(&alpha.member);
    three_backups(&member).await;
    let all = member.get("/v3/{p}/backups").await.expect(200);
    let ids: Vec<&str> =
        all["backups"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    for (query, expected) in [
        ("limit=0".to_owned(), vec![]),
        ("limit=2&offset=1".to_owned(), vec!["a", "b"]),
        ("offset=9".to_owned(), vec![]),
        (format!("marker={}", ids[0]), vec!["a", "b"]),
        (format!("marker={}&offset=2", ids[0]), vec!["a", "b"]),
        (format!("marker={}", ids[2]), vec![]),
    ] {
        let body = member.get(&format!("/v3/{{p}}/backups?{query}")).await.expect(200);
        assert_eq!(names(&body), expected, "{query}");
        let is_full = query.starts_with("limit=2");
        assert_eq!(body.get("backups_links").is_some(), is_full, "{query}");
    }
    // T-14: absent, not empty.
    assert!(all.get("backups_links").is_none());
    for (query, words) in [
        ("limit=x", "limit param must be an integer"),
        ("limit=-1", "limit param must be positive"),
        ("offset=x", "offset must be an integer"),
        ("offset=-1", "offset must be >= 0"),
        ("offset=2147483648", "offset must be <= 2147483647"),
    ] {
        let path = format!("/v3/{{p}}/backups/detail?{query}");
        assert_eq!(member.get(&path).await.refusal(400), words);
    }
    let foreign = world.volume(&beta.member);
    for (client, marker) in
        [(&member, "abc"), (&member, "00000000-0000-4000-8000-000000000000"), (&foreign, ids[0])]
    {
        let refused = client.get(&format!("/v3/{{p}}/backups?marker={marker}")).await.refusal(404);
        assert_eq!(refused, format!("Backup {marker} could not be found."));
    }
}

#[tokio::test]
async fn an_admin_of_all_sees_all() {
    let (world, alpha, beta) = World::with_projects().await;
    three_backups(&world.volume(&alpha.member)).await;
    three_backups(&world.volume(&beta.member)).await;
    let cloud = world.volume(&world.admin);
    let count = async |client: &Client<'_>, query: &str| {
        let path = format!("/v3/{{p}}/backups?{query}");
        names(&client.get(&path).await.expect(200)).len()
    };
    assert_eq!(count(&cloud, "").await, 0);
    assert_eq!(count(&cloud, "all_tenants=1").await, 6);
    let one = format!("all_tenants=1&project_id={}", beta.member.project);
    assert_eq!(count(&cloud, &one).await, 3);
    for (noun, expected) in [("volumes", 2), ("snapshots", 0)] {
        let path = format!("/v3/{{p}}/{noun}?{one}");
        let body = cloud.get(&path).await.expect(200);
        assert_eq!(body[noun].as_array().unwrap().len(), expected);
    }
    assert_eq!(count(&world.volume(&alpha.admin), "all_tenants=1").await, 3);
    assert_eq!(json!(count(&world.volume(&alpha.member), "all_tenants=1").await), json!(3));
}
