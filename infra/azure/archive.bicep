// An archive of every event. A Storage Queue hands each message to one reader. So a job takes each event out of the
// relay's queue and sends it on, the same bytes, into two others: one for your consumers, one for the archive. A second
// job writes the archive on a schedule, a third one puts its small files together. docs/archive.md says what is in it.

param location string
param name string
param image string
param registryName string
param minutes int
param retentionDays int
param readers array
param redundancy string
param accountName string
param archiveAccountName string
param workspaceId string
param logLevel string

// Not the jobs' own identities: those would be there only with the jobs, which are refused as long as they may not pull the
// image.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-archive'
  location: location
}

var roles = {
  processor: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '8a0f0c08-91a1-4084-bc3d-661d67233fed') // Storage Queue Data Message Processor
  counter: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '19e7f393-937e-4f77-808e-94535e297925') // Storage Queue Data Reader
  sender: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a') // Storage Queue Data Message Sender
  contributor: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe') // Storage Blob Data Contributor
  reader: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1') // Storage Blob Data Reader
  pull: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d') // AcrPull
}

// An account of its own: what was forgotten is gone at once, while removed claims and events can be had back for a week.
resource kept 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  // checkov:skip=CKV_AZURE_43: the name is put together in main.bicep, of lower-case letters and digits, 24 at most
  // checkov:skip=CKV_AZURE_206: one region's copies are what the events' account has too; choose another redundancy if a region's loss must not lose the archive
  // checkov:skip=CKV_AZURE_33: there is no queue in this account
  // checkov:skip=CKV_AZURE_35: what writes and reads here has no fixed address; who has no role is refused, and there are no keys
  // checkov:skip=CKV_AZURE_59: jobs and readers reach it over the public endpoint; anonymous access is off
  name: archiveAccountName
  location: location
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource keptBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: kept
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: false }
  }
}

resource archive 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: keptBlobs
  name: 'archive'
  properties: { publicAccess: 'None' }
}

// Events alone expire. The archive's own file says which archive this is.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = if (retentionDays > 0) {
  parent: kept
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'events-expire'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['archive/source=']
            }
            actions: {
              baseBlob: {
                delete: { daysAfterModificationGreaterThan: retentionDays }
              }
            }
          }
        }
      ]
    }
  }
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: accountName
  resource queues 'queueServices' existing = {
    name: 'default'
    resource events 'queues' existing = { name: 'labelrelay-events' }
    resource poison 'queues' existing = { name: 'labelrelay-events-poison' }
    resource consumers 'queues' existing = { name: 'labelrelay-consumers' }
    resource copies 'queues' existing = { name: 'labelrelay-archive' }
    resource copiesPoison 'queues' existing = { name: 'labelrelay-archive-poison' }
  }
}

resource takesEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::events
  name: guid(account::queues::events.id, name, 'archive', 'processor')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.processor }
}

// What starts the job looks how many messages wait, and peeks at some.
resource countsEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::events
  name: guid(account::queues::events.id, name, 'archive', 'counter')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.counter }
}

resource rejectsEvents 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::poison
  name: guid(account::queues::poison.id, name, 'archive', 'sender')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.sender }
}

resource sendsToConsumers 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::consumers
  name: guid(account::queues::consumers.id, name, 'archive', 'sender')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.sender }
}

resource sendsCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::copies
  name: guid(account::queues::copies.id, name, 'archive', 'sender')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.sender }
}

resource takesCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::copies
  name: guid(account::queues::copies.id, name, 'archive', 'processor')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.processor }
}

resource rejectsCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::copiesPoison
  name: guid(account::queues::copiesPoison.id, name, 'archive', 'sender')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.sender }
}

resource writes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: archive
  name: guid(archive.id, name, 'archive', 'contributor')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.contributor }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in readers: {
    scope: archive
    name: guid(archive.id, reader, 'reader')
    properties: { principalId: reader, roleDefinitionId: roles.reader }
  }
]

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = if (!empty(registryName)) {
  name: empty(registryName) ? 'unused' : registryName
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  scope: registry
  name: guid(registry.id, name, 'archive', 'AcrPull')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.pull }
}

resource platform 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: '${name}-archive'
  location: location
  properties: {
    // By the setting below, without a key of the workspace.
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: platform
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

var archiveUrl = 'az://${kept.name}/${archive.name}'
var eventsUrl = 'azure-queue://${accountName}/labelrelay-events'
var consumersUrl = 'azure-queue://${accountName}/labelrelay-consumers'
var copiesUrl = 'azure-queue://${accountName}/labelrelay-archive'
var registries = empty(registryName) ? [] : [{ server: registry.properties.loginServer, identity: identity.id }]
var settings = [
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
  { name: 'LABELRELAY_LOG', value: logLevel }
]

// It takes what is there, and ends when nothing comes any more. What it did not do comes again, and starts the next run.
resource copy 'Microsoft.App/jobs@2025-01-01' = {
  name: '${name}-copy'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: platform.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Event'
      eventTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
        scale: {
          minExecutions: 0
          maxExecutions: 4
          pollingInterval: 30
          rules: [
            {
              name: 'messages'
              type: 'azure-queue'
              // One run more for each thousand that wait. What is hidden would otherwise start runs that find nothing.
              metadata: { accountName: accountName, queueName: 'labelrelay-events', queueLength: '1000', queueLengthStrategy: 'visibleonly' }
              identity: identity.id
            }
          ]
        }
      }
      replicaTimeout: 1800
      replicaRetryLimit: 0
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'copy'
          image: image
          // Consumers first: they do not wait for an archive.
          args: ['consume', eventsUrl, '--into', consumersUrl, '--into', copiesUrl, '--until-idle', '30s']
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          env: settings
        }
      ]
    }
  }
  dependsOn: [takesEvents, countsEvents, rejectsEvents, sendsToConsumers, sendsCopies, pulls]
}

resource write 'Microsoft.App/jobs@2024-03-01' = {
  name: '${name}-archive'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: platform.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: {
        cronExpression: minutes == 60 ? '0 * * * *' : '*/${minutes} * * * *'
        parallelism: 1
        replicaCompletionCount: 1
      }
      // It is over before the next one begins, which finds what is left.
      replicaTimeout: minutes * 60 - 60
      replicaRetryLimit: 0
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'archive'
          image: image
          args: ['archive', 'write', archiveUrl, '--queue', copiesUrl]
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: settings
        }
      ]
    }
  }
  dependsOn: [takesCopies, rejectsCopies, writes, pulls]
}

resource compact 'Microsoft.App/jobs@2024-03-01' = {
  name: '${name}-compact'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: platform.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: {
        cronExpression: '30 0 * * *'
        parallelism: 1
        replicaCompletionCount: 1
      }
      replicaTimeout: 3600
      replicaRetryLimit: 0
      registries: registries
    }
    template: {
      containers: [
        {
          name: 'compact'
          image: image
          args: ['archive', 'compact', archiveUrl]
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: settings
        }
      ]
    }
  }
  dependsOn: [writes, pulls]
}

output url string = archiveUrl
