//! What has no project in its path.

use serde_json::json;
use strongroom_model::id::ProjectId;
use strongroom_model::vault::VaultStatus;
use strongroom_service::Error;
use strongroom_testkit::signer::Form;

use crate::world::World;

#[tokio::test]
async fn c20_words_of_the_domain_are_no_projects() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    let listed = cbr.get("/v3/region-projects").await.expect(200);
    assert_eq!(listed["links"]["self"], "http://vol.test:8776/v3/region-projects");
    let names: Vec<&str> = listed["projects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|project| project["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alpha", "beta"]);
    let first = &listed["projects"][0];
    assert_eq!(first["id"], alpha.member.project.as_str());
    let link = format!("http://id.test:5000/v3/projects/{}", alpha.member.project);
    assert_eq!(first["links"]["self"], link);
    for path in ["/v3/migrates", "/v3/region-projects", "/v3/domain/Default/projects"] {
        cbr.get(path).await.expect(200);
        assert_eq!(world.nobody_at_cbr().get(path).await.refused(401), "APIGW.0301", "{path}");
    }
}

// Clients for what has no project name their account in `X-Domain-Id`, whoever signs.
#[tokio::test]
async fn who_has_no_role_in_its_own_domain_reads_what_is_its_own() {
    let (world, alpha, _) = World::with_projects().await;
    for form in Form::ALL {
        let hand = world.key(&alpha.member, form).await;
        let signed = world.nobody_at_cbr().signed(&hand, "");
        let cbr = signed.with("x-domain-id", "default");
        let listed = cbr.get("/v3/region-projects").await.expect(200);
        assert_eq!(listed["projects"].as_array().unwrap().len(), 2);
        assert_eq!(cbr.get("/v3/migrates").await.expect(200)["status"], "success");
        let listed = cbr.get("/v3/domain/Default/projects").await.expect(200);
        assert_eq!(listed["projects"].as_array().unwrap().len(), 2);
        let path = format!("/v3/domain/{}", alpha.member.project);
        assert_eq!(cbr.get(&path).await.expect(200)["project_name"], "alpha");
        // To read is not to change, and no project is opened by it.
        let wish = json!({"all_regions": false, "reservation": 0.2});
        assert_eq!(cbr.post("/v3/migrates", wish).await.refused(403), "BackupService.9998");
        let other = signed.with("x-domain-id", "other");
        assert_eq!(other.get("/v3/region-projects").await.status, 403);
    }
    // Whose own domain is another learns nothing of this one.
    let (stranger, own) = world.stranger().await;
    let hand = world.key(&stranger, Form::New).await;
    let path = format!("/v3/domain/{}", stranger.project);
    let id = world.cbr(&stranger).get(&path).await.expect(200)["domain_id"].clone();
    let signed = world.nobody_at_cbr().signed(&hand, "");
    let hers = signed.with("x-domain-id", id.as_str().unwrap());
    let path = format!("/v3/domain/{}", alpha.member.project);
    assert_eq!(hers.get(&path).await.refused(404), "BackupService.6302");
    let theirs = "/v3/domain/Default/projects";
    assert_eq!(hers.get(theirs).await.refused(404), "BackupService.6302");
    hers.get(&format!("/v3/domain/{own}/projects")).await.expect(200);
}

#[tokio::test]
async fn the_projects_of_a_domain_are_those_that_the_caller_may_know_of() {
    let (world, alpha, beta) = World::with_projects().await;
    let names = |listed: &serde_json::Value| {
        let projects = listed["projects"].as_array().unwrap().clone();
        projects.iter().map(|it| it["project_name"].as_str().unwrap().to_owned()).collect()
    };
    let path = "/v3/domain/Default/projects";
    let seen: Vec<String> = names(&world.cbr(&alpha.member).get(path).await.expect(200));
    assert_eq!(seen, ["alpha", "beta"]);
    let seen: Vec<String> = names(&world.cbr(&world.admin).get(path).await.expect(200));
    assert!(["admin", "alpha", "beta"].iter().all(|name| seen.iter().any(|it| it == name)));
    let cbr = world.cbr(&beta.member);
    for name in ["none", "%20", "default%2F"] {
        let refused = cbr.get(&format!("/v3/domain/{name}/projects")).await.refused(404);
        assert_eq!(refused, "BackupService.6302");
    }
}

#[tokio::test]
async fn a_project_is_known_to_its_domain_and_to_whom_it_shares_with() {
    let (world, alpha, beta) = World::with_projects().await;
    let cbr = world.cbr(&beta.member);
    let path = format!("/v3/domain/{}", alpha.member.project);
    let shown = cbr.get(&path).await.expect(200);
    let expected = json!({
        "project_id": alpha.member.project,
        "project_name": "alpha",
        "domain_id": "default",
        "domain_name": shown["domain_name"],
    });
    assert_eq!(shown, expected);
    for id in ["none", "%20", "..", &"x".repeat(99)] {
        let refused = cbr.get(&format!("/v3/domain/{id}")).await.refused(404);
        assert_eq!(refused, "BackupService.6302", "{id}");
    }
    let (stranger, other) = world.stranger().await;
    let hers = world.cbr(&stranger);
    assert_eq!(hers.get(&path).await.refused(404), "BackupService.6302");
    let theirs = "/v3/domain/Default/projects";
    assert_eq!(hers.get(theirs).await.refused(404), "BackupService.6302");
    hers.get(&format!("/v3/domain/{other}/projects")).await.expect(200);

    let volume = world.volume(&alpha.member).make_volume("v").await;
    let backup = world.volume(&alpha.member).make_backup(&volume, "b").await;
    let wish = json!({"shared": {"backup_id": backup, "to_project_ids": [stranger.project]}});
    let shared = world.volume(&alpha.member).post("/v3/{p}/os-vendor-backup-sharing", wish).await;
    shared.expect(200);
    assert_eq!(hers.get(&path).await.expect(200)["project_name"], "alpha");
}

#[tokio::test]
async fn there_is_never_anything_to_move() {
    let (world, alpha, _) = World::with_projects().await;
    let cbr = world.cbr(&alpha.member);
    let nothing = json!({"status": "success", "project_status": []});
    for query in ["", "?all_regions=true", "?all_regions=False"] {
        let shown = cbr.get(&format!("/v3/migrates{query}")).await.expect(200);
        assert_eq!(shown, nothing);
    }
    assert_eq!(cbr.get("/v3/migrates?all_regions=x").await.refused(400), "BackupService.9900");
    let wish = json!({"all_regions": false, "reservation": 0.2});
    assert_eq!(cbr.post("/v3/migrates", wish.clone()).await.refused(403), "BackupService.9998");
    let admin = world.cbr(&world.admin);
    let begun = admin.post("/v3/migrates", wish).await.expect(200);
    assert_eq!(begun.as_object().unwrap().values().collect::<Vec<_>>(), [&json!("running")]);
    assert_eq!(admin.get("/v3/migrates").await.expect(200), nothing);
    for bad in [
        json!({}),
        json!([]),
        json!(null),
        json!({"all_regions": "false", "reservation": 0.2}),
        json!({"all_regions": true}),
        json!({"all_regions": true, "reservation": 1.1}),
        json!({"all_regions": true, "reservation": -1}),
        json!({"all_regions": true, "reservation": "0.2"}),
    ] {
        let refused = admin.post("/v3/migrates", bad.clone()).await.refused(400);
        assert_eq!(refused, "BackupService.9900", "{bad}");
    }
    for bad in ["", "{", "\u{0}", "[1", "true"] {
        let answer = admin.raw("POST", "/v3/migrates", None, bad.as_bytes().to_vec()).await;
        assert_eq!(answer.refused(400), "BackupService.9900", "{bad}");
    }
}

#[tokio::test]
async fn a_move_is_told_of_as_it_is() {
    let (world, alpha, _) = World::with_projects().await;
    let (door, cbr) = (world.volume(&alpha.admin), world.cbr(&alpha.admin));
    let nothing = json!({"status": "success", "project_status": []});
    let wish = json!({"all_regions": false, "reservation": 0.2});
    let volume = door.make_volume("v").await;
    door.make_backup(&volume, "b").await;
    // Nothing was moved yet, and nothing hinders it.
    assert_eq!(cbr.get("/v3/migrates").await.expect(200), nothing);
    cbr.post("/v3/migrates", wish.clone()).await.expect(200);
    let row = |status, progress| {
        json!({
            "project_id": alpha.admin.project, "project_name": "alpha",
            "region_id": world.service.settings().region,
            "status": status, "progress": progress,
        })
    };
    let done = json!({"status": "success", "project_status": [row("success", 100)]});
    assert_eq!(cbr.get("/v3/migrates").await.expect(200), done);
    assert_eq!(world.cbr(&alpha.member).get("/v3/migrates").await.expect(200), done);

    // A vault that is not usable takes no more, and that is said.
    let other = door.make_volume("w").await;
    door.make_backup(&other, "c").await;
    let catalog = world.catalog().await;
    let project = &ProjectId::parse(&alpha.admin.project).unwrap();
    let frozen = catalog.transact(|tx| {
        Box::pin(async move {
            let mut vault = tx.vaults().find_default(project).await?.unwrap();
            vault.status = VaultStatus::Frozen;
            tx.vaults().update(&vault).await?;
            Ok::<_, Error>(vault.id)
        })
    });
    let id = frozen.await.unwrap();
    cbr.post("/v3/migrates", wish).await.expect(200);
    let mut failed = row("failed", 50);
    failed["fail_reason"] = json!(format!("1 disks are in no vault: vault {id} is frozen"));
    let told = json!({"status": "failed", "project_status": [failed]});
    assert_eq!(cbr.get("/v3/migrates").await.expect(200), told);
}
