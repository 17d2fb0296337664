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

/// The page says of each alert what makes it ring, and of no other.
#[test]
fn the_page_has_every_alert() {
    let page = std::fs::read_to_string(root().join("docs/azure.md")).unwrap();
    let (_, section) = page.split_once("\n## Alerts\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| *"));
    let mut told: Vec<_> = rows.map(|row| row.split('*').next().unwrap()).collect();
    let alerts = read("alerts.bicep");
    let names = alerts
        .lines()
        .filter_map(|line| line.strip_prefix("  name: '${name}-"));
    let mut there: Vec<_> = names.map(|name| name.trim_end_matches('\'')).collect();
    told.sort_unstable();
    there.sort_unstable();
    assert_eq!(told, there);
}

/// A table of logs has no row for what never ran: the queries count, so that they have one always.
#[test]
fn runs_that_never_happen_ring() {
    let alerts = read("alerts.bicep");
    for (query, none) in [
        ("var redrives", "runs == 0"),
        ("var pulls", "ended == 0"),
        ("var archived", "ended == 0"),
    ] {
        let (_, text) = alerts.split_once(query).unwrap();
        let text = text.split("'''").nth(1).unwrap();
        assert!(
            text.contains("| summarize ") && text.contains(none),
            "{text}"
        );
    }
    // What the other jobs write is no run of a pull that failed: each has an environment of its own.
    for (query, job) in [("var pulls", "reconcile"), ("var archived", "archive")] {
        let (_, text) = alerts.split_once(query).unwrap();
        let (text, rest) = text.split_once("\n''', 'ENVIRONMENT', '${name}-").unwrap();
        let filter = "| where _ResourceId endswith \"/ENVIRONMENT\"\n";
        assert!(text.contains(filter), "{text}");
        assert!(rest.starts_with(&format!("{job}')")), "{rest}");
    }
}

/// Azure's count of messages does not tell the queues apart; the URL of what is put there does.
#[test]
fn a_message_in_a_poison_queue_rings() {
    let (alerts, events) = (read("alerts.bicep"), read("events.bicep"));
    let (_, query) = alerts.split_once("var buried = '''").unwrap();
    let (query, _) = query.split_once("'''").unwrap();
    // Where there is an archive, consumers have another queue, and it has a poison queue of its own.
    for queue in ["events", "consumers", "archive"] {
        assert!(events.contains(&format!("name: 'labelrelay-{queue}-poison'")));
    }
    assert!(query.contains("Uri contains \"-poison/\""));
    // The log has what the query reads, and goes where that looks.
    assert!(query.contains("StorageQueueLogs\n| where OperationName == \"PutMessage\""));
    let (_, log) = alerts.split_once("resource puts ").unwrap();
    let (log, _) = log.split_once("\n}\n").unwrap();
    for part in [
        "scope: account::queues",
        "workspaceId: workspaceId",
        "{ category: 'StorageWrite', enabled: true }",
    ] {
        assert!(log.contains(part), "{log}");
    }
    assert_eq!(alerts.matches("= if (queue && deadLetters) {").count(), 2);
    assert!(read("main.bicep").contains("deadLetters: deadLetterAlarm\n"));
}

/// Events of a program that fails wait, and less than a thousand of them are no backlog.
#[test]
fn a_consumer_that_fails_rings() {
    let alerts = read("alerts.bicep");
    let (_, query) = alerts.split_once("var failures = '''").unwrap();
    let (query, _) = query.split_once("'''").unwrap();
    assert!(query.contains("ContainerAppSystemLogs\n| where JobName endswith \"-consumer\""));
    assert!(query.contains("\"BackoffLimitExceeded\""));
    let main = read("main.bicep");
    assert!(main.contains("    name: '${name}-consumer'\n    image: consumerImage\n"));
    assert!(main.contains("    consumer: withConsumer\n"));
    let consumer = read("consumer.bicep");
    assert!(consumer.contains("resource job 'Microsoft.App/jobs@2025-01-01' = {\n  name: name\n"));
    // The first failure of a run is its last, and the log goes where the query looks.
    assert!(consumer.contains("replicaRetryLimit: 0"));
    assert!(consumer.contains("{ category: 'ContainerAppSystemLogs', enabled: true }"));
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

/// Jobs write into one table, and all of their failures begin alike. Red if an alert rings for another one's job.
#[test]
fn an_alert_reads_the_lines_of_its_own_jobs() {
    let alerts = read("alerts.bicep");
    for (query, job, template) in [
        ("var pulls", "-reconcile", "main.bicep"),
        ("var archived", "-archive", "archive.bicep"),
    ] {
        let (_, query) = alerts.split_once(query).unwrap();
        let (query, _) = query.split_once("\n\n").unwrap();
        assert!(query.contains("| where _ResourceId endswith \"/ENVIRONMENT\""));
        let environment = format!("'${{name}}{job}'");
        let replaced = format!("''', 'ENVIRONMENT', {environment})");
        assert!(query.ends_with(&replaced), "{query}");
        assert!(read(template).contains(&format!("name: {environment}")));
    }
    // What a run says at its end, and nobody else.
    let write = std::fs::read_to_string(root().join("crates/cli/src/archive/write.rs")).unwrap();
    assert!(write.contains("\"archived {archived} events\""));
    assert!(alerts.contains("Log startswith \"archived \""));
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

fn read(name: &str) -> String {
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
