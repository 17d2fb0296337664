// Alerts. Azure counts messages by account and by the hour, not by queue: the backlog is queue and poison
// queue together, and dead letters show in a log of what is put there. What stays in the fallback shows as a redrive
// that fails.

param location string
param name string
param insightsId string
param workspaceId string
param accountName string
param queue bool
param deadLetters bool
param fallback bool
param reconcile bool
param consumer bool
param archive bool
param actionGroupId string
param backlogAlarmCount int
param refusedAlarmCount int

var actions = empty(actionGroupId) ? [] : [{ actionGroupId: actionGroupId }]

resource unavailable 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-unavailable'
  location: 'global'
  properties: {
    description: '${name}: deliveries were answered 5xx; Label Studio does not try again. The log says why.'
    severity: 1
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'answered 5xx'
          metricName: 'requests/failed'
          metricNamespace: 'microsoft.insights/components'
          dimensions: [
            { name: 'request/resultCode', operator: 'Include', values: ['500', '502', '503', '504'] }
          ]
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Count'
        }
      ]
    }
    actions: actions
  }
}

// The host's own, when an instance has more under way than it takes.
resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-throttled'
  location: 'global'
  properties: {
    description: '${name}: deliveries were answered 429 by the host, because too many came at a time; Label Studio does not try again. Raise maximumInstances.'
    severity: 1
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'answered 429'
          metricName: 'requests/failed'
          metricNamespace: 'microsoft.insights/components'
          dimensions: [
            { name: 'request/resultCode', operator: 'Include', values: ['429'] }
          ]
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Count'
        }
      ]
    }
    actions: actions
  }
}

resource refused 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-refused'
  location: 'global'
  properties: {
    description: '${name}: many requests were refused (4xx): forgeries, a wrong secret or function key, or payloads over the limit.'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'answered 4xx'
          metricName: 'requests/failed'
          metricNamespace: 'microsoft.insights/components'
          dimensions: [
            { name: 'request/resultCode', operator: 'Include', values: ['400', '401', '403', '404', '405', '408', '413'] }
          ]
          operator: 'GreaterThan'
          threshold: refusedAlarmCount
          timeAggregation: 'Count'
        }
      ]
    }
    actions: actions
  }
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: accountName
  resource queues 'queueServices' existing = { name: 'default' }
}

resource backlog 'Microsoft.Insights/metricAlerts@2018-03-01' = if (queue) {
  name: '${name}-backlog'
  location: 'global'
  properties: {
    description: '${name}: messages wait in queue or poison queue: a consumer is behind, or gave up on some.'
    severity: 2
    enabled: true
    scopes: [account::queues.id]
    evaluationFrequency: 'PT1H'
    windowSize: 'PT1H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'messages wait'
          metricName: 'QueueMessageCount'
          metricNamespace: 'Microsoft.Storage/storageAccounts/queueServices'
          operator: 'GreaterThan'
          threshold: backlogAlarmCount
          timeAggregation: 'Average'
        }
      ]
    }
    actions: actions
  }
}

// One line for each message that somebody puts into a queue of the account, whoever consumes: a poison queue's name is
// in its URL. Asking for messages, and removing them, writes none.
resource puts 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (queue && deadLetters) {
  scope: account::queues
  name: 'puts'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageWrite', enabled: true }]
  }
}

var buried = '''
StorageQueueLogs
| where OperationName == "PutMessage" and Uri contains "-poison/"
'''

resource poisoned 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (queue && deadLetters) {
  name: '${name}-dead-letters'
  location: location
  properties: {
    description: '${name}: a consumer gave up on messages; they are in a poison queue, where they stay: labelrelay-events-poison, or those behind it where there is an archive.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    // Twice the time between two looks: a line may come some minutes after what it tells of.
    windowSize: 'PT30M'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: buried
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}

// One row always: a redrive that does not run at all is as bad as one that fails.
var redrives = '''
AppRequests
| where OperationName =~ "redrive"
| summarize failed = countif(Success == false), runs = count()
| where failed > 0 or runs == 0
'''

resource left 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (fallback) {
  name: '${name}-fallback'
  location: location
  properties: {
    description: '${name}: events are in the fallback and could not be moved into the queue, or nothing tried to. The log says why.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT30M'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: redrives
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}

// One row always, here too: a job that never starts says nothing. Each run that came to its end says what it did, and
// each that failed why. Other jobs write into the same table.
var pulls = replace('''
ContainerAppConsoleLogs
| where _ResourceId endswith "/ENVIRONMENT"
| summarize ended = countif(Log contains "things looked at;"), failed = countif(Log startswith "labelrelay:")
| where failed > 0 or ended == 0
''', 'ENVIRONMENT', '${name}-reconcile')

resource missed 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (reconcile) {
  name: '${name}-reconcile'
  location: location
  properties: {
    description: '${name}: what Label Studio sent while nothing took it was not fetched, or not all of it, or nothing tried to. The table ContainerAppConsoleLogs says why.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT1H'
    windowSize: 'PT3H'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: pulls
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}

// A run says so on a line of its own.
var silences = '''
ContainerAppConsoleLogs
| where Log startswith "silence: "
'''

resource webhookBroken 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (reconcile) {
  name: '${name}-webhook-broken'
  location: location
  properties: {
    description: '${name}: Label Studio has changes in a project from which nothing was delivered since the last run. They were fetched; the webhook does not work, or there is none. The table ContainerAppConsoleLogs names the project.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: silences
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}

// Here too: each run that came to its end says how many events it archived. The job that puts small files together has
// an alert of its own.
var archived = replace('''
ContainerAppConsoleLogs
| where _ResourceId endswith "/ENVIRONMENT"
| where ContainerName != "compact"
| summarize ended = countif(Log startswith "archived "), failed = countif(Log startswith "labelrelay:")
| where failed > 0 or ended == 0
''', 'ENVIRONMENT', '${name}-archive')

resource unarchived 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (archive) {
  name: '${name}-archive'
  location: location
  properties: {
    description: '${name}: events were not copied for the archive, or not archived, or nothing tried to. They wait in the queues, where nothing expires. The table ContainerAppConsoleLogs says why.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT1H'
    windowSize: 'PT3H'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: archived
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}

// It runs once a day, so none is missed before the environment's log is older than that.
var compacted = replace('''
ContainerAppConsoleLogs
| where _ResourceId endswith "/ENVIRONMENT"
| extend late = TimeGenerated > ago(26h), its = ContainerName == "compact"
| summarize
    since = min(TimeGenerated),
    ended = countif(late and its and Log contains "files removed, "),
    failed = countif(late and its and (Log startswith "labelrelay:" or Log contains ": cannot be read to its end"))
| where failed > 0 or (ended == 0 and since < ago(26h))
''', 'ENVIRONMENT', '${name}-archive')

resource uncompacted 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (archive) {
  name: '${name}-compact'
  location: location
  properties: {
    description: '${name}: no run has put the small files of the archive together for 26 hours, or one failed. Nothing is lost; reading the archive takes more requests each day. The tables ContainerAppConsoleLogs and ContainerAppSystemLogs say why.'
    severity: 3
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT6H'
    windowSize: 'P2D'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: compacted
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}

// Azure tells of a run that ended with an error, or was ended because it took too long; no metric of a job can have an
// alert.
var failures = '''
ContainerAppSystemLogs
| where JobName endswith "-consumer" and Reason in ("BackoffLimitExceeded", "DeadlineExceeded")
'''

resource consumerFailed 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = if (consumer) {
  name: '${name}-consumer'
  location: location
  properties: {
    description: '${name}: the program that consumes did not start, ended with an error, or was ended after half an hour. Its events come again. The tables ContainerAppSystemLogs and ContainerAppConsoleLogs say why.'
    severity: 2
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT15M'
    // Twice the time between two looks: a line may come some minutes after what it tells of.
    windowSize: 'PT30M'
    // The table is there once something was logged.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: failures
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: empty(actionGroupId) ? {} : { actionGroups: [actionGroupId] }
  }
}
