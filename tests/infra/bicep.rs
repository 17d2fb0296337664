//! `infra/azure`: that it is Bicep, and that what it asks for has the names that Azure knows.

use crate::tool::{output, root};
use labelrelay_tests::passed_checks::Input;
use labelrelay_tests::servers::installed;
use std::process::Command;

/// Every property of every resource is one that the models of Azure's own management clients have, and every
/// value of an enumeration one of theirs. Types of expressions and references only the compiler knows.
#[test]
#[ignore = "needs the models of Azure's resources: cargo xtask test"]
fn properties_are_those_that_azure_knows() {
    let folder = root().join("infra/azure");
    input("bicep-properties").unless_passed(|| {
        let printed = output(&mut checker(&folder));
        let resources = printed.lines().last().unwrap();
        let count: usize = resources.split(' ').next().unwrap().parse().unwrap();
        assert!(count >= 60, "the check saw the resources: {resources}");
    });
}

#[test]
#[ignore = "needs the models of Azure's resources: cargo xtask test"]
fn mistakes_are_found() {
    input("bicep-mistakes").unless_passed(each_mistake_is_found);
}

fn each_mistake_is_found() {
    for (name, right, wrong) in [
        (
            "events.bicep",
            "allowSharedKeyAccess",
            "allowSharedKeysAccess",
        ),
        ("events.bicep", "'StorageV2'", "'StorageV5'"),
        ("events.bicep", "resource claims ", "resource = "),
        ("reconcile.bicep", "replicaTimeout", "replicaTimeOut"),
        ("reconcile.bicep", "'Schedule'", "'Scheduled'"),
        (
            "function.bicep",
            "perInstanceConcurrency: ",
            "perInstancesConcurrency: ",
        ),
        (
            "function.bicep",
            "ipSecurityRestrictionsDefaultAction",
            "ipSecurityRestrictionDefaultAction",
        ),
        (
            "consumer.bicep",
            "eventTriggerConfig",
            "eventTriggersConfig",
        ),
        ("consumer.bicep", "pollingInterval", "pollInterval"),
        (
            "archive.bicep",
            "scheduleTriggerConfig",
            "scheduledTriggerConfig",
        ),
        ("archive.bicep", "deleteRetentionPolicy", "deletionPolicy"),
        ("budget.bicep", "contactGroups", "contactGroup"),
        ("budget.bicep", "'Forecasted'", "'Forecast'"),
        ("front-door.bicep", "sampleSize", "sampleSizes"),
        ("front-door-route.bicep", "originHostHeader", "hostHeader"),
        ("front-door-route.bicep", "'HttpsOnly'", "'HttpsAlone'"),
        // In a list that is put together, in a branch, in a map.
        ("reconcile.bicep", "secretRef", "secretReference"),
        ("reconcile.bicep", "{ server:", "{ servers:"),
        ("reconcile.bicep", "}': {}", "}': { id: '' }"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = read(name);
        assert!(text.contains(right));
        let file = folder.path().join(name);
        std::fs::write(file, text.replacen(right, wrong, 1)).unwrap();
        let output = crate::tool::run(&mut checker(folder.path()));
        assert!(!output.status.success(), "{wrong}");
    }
}

/// Bicep takes a bound of numbers before numbers alone; the parsers take it anywhere.
#[test]
fn bounds_of_numbers_stand_before_numbers() {
    let mut is_bounded = false;
    for line in read("main.bicep").lines() {
        if line.starts_with("@minValue(") || line.starts_with("@maxValue(") {
            is_bounded = true;
        } else if let Some(parameter) = line.strip_prefix("param ") {
            let kind = parameter.split(' ').nth(1);
            assert!(!is_bounded || kind == Some("int"), "{line}");
            is_bounded = false;
        }
    }
}

/// What somebody can turn on or off has its price in the table, if only none.
#[test]
fn the_page_says_what_each_switch_costs() {
    let page = std::fs::read_to_string(root().join("docs/azure.md")).unwrap();
    let (_, table) = page.split_once("\nWhat each optional part adds").unwrap();
    let (table, _) = table.split_once("\n**A flood**").unwrap();
    let main = read("main.bicep");
    let parameters = main.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("param ")?.split_once(' ')?;
        Some((name, rest))
    });
    let mut switches = 0;
    for (name, rest) in parameters {
        // That one is asked for at each deployment, and changes nothing that is paid for.
        let is_switch = rest.starts_with("bool") && name != "makeSecrets";
        if is_switch || name.ends_with("Image") {
            assert!(table.contains(&format!("`{name}`")), "{name}");
            switches += 1;
        }
    }
    assert!(switches >= 8, "{switches}");
}

/// One reader would take what the other one is to have. Red if consumers stay at the queue that the copies are made of.
#[test]
fn with_an_archive_consumers_and_archive_have_a_queue_each() {
    let (main, archive, consumer) = (
        read("main.bicep"),
        read("archive.bicep"),
        read("consumer.bicep"),
    );
    for line in [
        "var withArchive = makeQueue && !empty(archiveImage)",
        "queueName: withArchive ? 'labelrelay-consumers' : 'labelrelay-events'",
        "{ name: 'QUEUE', value: withArchive ? events.outputs.consumerQueue : events.outputs.queue }",
    ] {
        assert!(main.lines().any(|found| found.trim() == line), "{line}");
    }
    for line in [
        "args: ['consume', eventsUrl, '--into', consumersUrl, '--into', copiesUrl, '--until-idle', '30s']",
        "args: ['archive', 'write', archiveUrl, '--queue', copiesUrl]",
        "args: ['archive', 'compact', archiveUrl]",
        // What was forgotten is gone.
        "deleteRetentionPolicy: { enabled: false }",
        "prefixMatch: ['archive/source=']",
    ] {
        assert!(archive.lines().any(|found| found.trim() == line), "{line}");
    }
    assert!(!consumer.contains("labelrelay-events"), "it is told");
    let events = read("events.bicep");
    for queue in ["consumers", "archive"] {
        for end in ["", "-poison"] {
            let name = format!("name: 'labelrelay-{queue}{end}'");
            assert!(events.contains(&name), "{name}");
        }
    }
}

/// With an allowlist that believes a proxy, nobody gets past the proxy; and one that is not named lets nobody in.
#[test]
fn an_allowlist_behind_a_proxy_closes_the_app_to_all_others() {
    let main = read("main.bicep");
    let lists = "!(empty(labelboxAllowedAddresses) && empty(labelStudioAllowedAddresses))";
    assert!(main.contains(&format!("var behindProxy = trustedProxies > 1 && {lists}")));
    let function = read("function.bicep");
    for line in [
        "ipSecurityRestrictionsDefaultAction: behindProxy ? 'Deny' : 'Allow'",
        "ipSecurityRestrictions: behindProxy ? restrictions : []",
        "headers: { 'x-azure-fdid': [frontDoorId] }",
    ] {
        assert!(function.lines().any(|found| found.trim() == line), "{line}");
    }
}

/// Whoever makes a Front Door here wants nobody to get past it, lists or not; and its address is one more in
/// `X-Forwarded-For`.
#[test]
fn a_front_door_that_is_made_closes_the_app_to_all_others() {
    let main = read("main.bicep");
    for line in [
        "var withFrontDoor = !empty(frontDoorSku)",
        "var proxies = withFrontDoor ? max(trustedProxies, 2) : trustedProxies",
        "behindProxy: behindProxy || withFrontDoor",
        "frontDoorId: withFrontDoor ? frontDoor.outputs.id : frontDoorId",
        "var hostName = withFrontDoor ? frontDoor.outputs.hostName : function.outputs.hostName",
    ] {
        assert!(main.lines().any(|found| found.trim() == line), "{line}");
    }
    assert_eq!(main.matches("'trusted_proxies = ${proxies}'").count(), 2);
    // A redirection would lose the event, and an answer from a cache is no answer.
    let route = read("front-door-route.bicep");
    assert!(route.contains("httpsRedirect: 'Disabled'") && !route.contains("cacheConfiguration"));
}

/// Without an amount there is no budget, and a date that moved with each deployment would be refused from the second
/// month on.
#[test]
fn a_budget_is_made_for_an_amount_and_its_start_stays() {
    let main = read("main.bicep");
    for line in [
        "param monthlyBudget int = 0",
        "param monthlyBudgetStart string = ''",
        "var withBudget = monthlyBudget > 0 && !empty(actionGroupId)",
        "module budget 'budget.bicep' = if (withBudget) {",
    ] {
        assert!(main.lines().any(|found| found.trim() == line), "{line}");
    }
    let budget = read("budget.bicep");
    for told in ["'Actual'", "'Forecasted'"] {
        assert!(budget.contains(&format!("thresholdType: {told}")), "{told}");
    }
    assert_eq!(budget.matches("contactGroups: [actionGroupId]").count(), 2);
    assert!(!main.contains("utcNow(") && !budget.contains("utcNow("));
}

/// A run that reads traces where none are left takes each event for one that nothing delivered.
#[test]
fn traces_are_left_and_read_or_neither() {
    let main = read("main.bicep");
    for line in [
        "param traces bool = true",
        "settings: concat(settings, fallback ? withFallback : [], withReconcile && traces ? withTraces : [])",
        "settings: concat(settings, traces ? withTraces : [])",
    ] {
        assert!(main.lines().any(|found| found.trim() == line), "{line}");
    }
}

/// Events in the fallback, and the memory of reconcile, stay until somebody removes them.
#[test]
fn nothing_expires_but_claims_and_traces() {
    let events = read("events.bicep");
    let prefixes: Vec<_> = events
        .lines()
        .filter(|line| line.contains("prefixMatch:"))
        .map(str::trim)
        .collect();
    assert_eq!(
        prefixes,
        ["prefixMatch: ['claims/']", "prefixMatch: ['traces/']"]
    );
    assert_eq!(events.matches("type: 'Lifecycle'").count(), 2);
}

/// The text of a file of the template.
pub(crate) fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("infra/azure").join(name)).unwrap()
}

/// The result of the check depends on its script, its models and the files, and on the questions in this one.
fn input(name: &'static str) -> Input {
    let models = installed("LABELRELAY_TEST_AZURE_MODELS");
    Input::new(name, &models, include_str!("bicep.rs"))
        .with(&root().join("tests/infra/bicep_schema.py"))
        .with(&root().join("infra/azure"))
}

fn checker(folder: &std::path::Path) -> Command {
    let mut command = Command::new(installed("LABELRELAY_TEST_AZURE_MODELS"));
    command
        .arg(root().join("tests/infra/bicep_schema.py"))
        .arg(folder);
    command
}
