//! Alerts of `infra/azure`, and what its jobs are started by and judged by.

use crate::bicep::read;
use crate::tool::root;

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
        ("var compacted", "ended == 0"),
    ] {
        let (_, text) = alerts.split_once(query).unwrap();
        let text = text.split("'''").nth(1).unwrap();
        assert!(
            text.contains("| summarize") && text.contains(none),
            "{text}"
        );
    }
    // What the other jobs write is no run of a pull that failed: each has an environment of its own.
    for (query, job) in [
        ("var pulls", "reconcile"),
        ("var archived", "archive"),
        ("var compacted", "archive"),
    ] {
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

/// Jobs write into one table, and all of their failures begin alike. Red if an alert rings for another one's job.
#[test]
fn an_alert_reads_the_lines_of_its_own_jobs() {
    let alerts = read("alerts.bicep");
    for (query, job, template) in [
        ("var pulls", "-reconcile", "main.bicep"),
        ("var archived", "-archive", "archive.bicep"),
        ("var compacted", "-archive", "archive.bicep"),
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
    let compact = std::fs::read_to_string(root().join("crates/cli/src/archive/compact.rs"));
    let compact = compact.unwrap();
    for words in ["files removed, ", ": cannot be read to its end"] {
        assert!(compact.contains(words), "{words}");
        assert!(alerts.contains(&format!("Log contains \"{words}\"")));
    }
    // The two jobs of that environment are told apart by the names of their containers.
    assert!(read("archive.bicep").contains("          name: 'compact'\n"));
    for condition in [
        "ContainerName != \"compact\"",
        "ContainerName == \"compact\"",
    ] {
        assert_eq!(alerts.matches(condition).count(), 1, "{condition}");
    }
}

/// A queue's length counts hidden messages too: one that is to come again in ten minutes would start a run that finds
/// nothing every half a minute.
#[test]
fn what_is_hidden_starts_no_job() {
    for file in ["archive.bicep", "consumer.bicep"] {
        let text = read(file);
        let rules: Vec<_> = text
            .lines()
            .filter(|line| line.contains("queueLength: "))
            .collect();
        let [rule] = rules[..] else {
            panic!("{file}: {rules:?}");
        };
        assert!(
            rule.contains("queueLengthStrategy: 'visibleonly'"),
            "{rule}"
        );
        // It peeks, which the one that counts may do.
        assert!(text.contains("counter: subscriptionResourceId("), "{file}");
        assert!(text.contains("// Storage Queue Data Reader\n"), "{file}");
    }
}
