// A program of yours that consumes, by the consumer in Python (`labelrelay.Consumer`): a job of Container Apps that the
// queue starts when messages wait. It takes what is there, and ends when nothing comes any more; between its runs it
// costs nothing. It has an identity of its own, which may consume and nothing else.

param location string
param name string
param image string
param registryName string
param maximumRuns int
param accountName string
param queueName string
param vaultName string
param workspaceId string
param settings array

// Not the job's own identity: that would be there only with the job, which is refused as long as its identity
// may not read the state's secret or pull the image.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

var roles = {
  processor: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '8a0f0c08-91a1-4084-bc3d-661d67233fed') // Storage Queue Data Message Processor
  counter: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '19e7f393-937e-4f77-808e-94535e297925') // Storage Queue Data Reader
  sender: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a') // Storage Queue Data Message Sender
  reader: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1') // Storage Blob Data Reader
  secrets: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6') // Key Vault Secrets User
  pull: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d') // AcrPull
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: accountName
  resource queues 'queueServices' existing = {
    name: 'default'
    resource events 'queues' existing = { name: queueName }
    resource poison 'queues' existing = { name: '${queueName}-poison' }
  }
  resource blobs 'blobServices' existing = {
    name: 'default'
    resource claims 'containers' existing = { name: 'claims' }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
  resource state 'secrets' existing = { name: 'consumer-state' }
}

resource receives 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::events
  name: guid(account::queues::events.id, name, 'processor')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.processor }
}

// What starts the job looks how many messages wait, and peeks at some.
resource counts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::events
  name: guid(account::queues::events.id, name, 'counter')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.counter }
}

resource rejects 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::queues::poison
  name: guid(account::queues::poison.id, name, 'sender')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.sender }
}

resource readsClaims 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::blobs::claims
  name: guid(account::blobs::claims.id, name, 'reader')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.reader }
}

resource readsState 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault::state
  name: guid(vault::state.id, name, 'secrets')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.secrets }
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = if (!empty(registryName)) {
  name: empty(registryName) ? 'unused' : registryName
}

resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  scope: registry
  name: guid(registry.id, name, 'AcrPull')
  properties: { principalId: identity.properties.principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.pull }
}

resource platform 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: name
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

resource job 'Microsoft.App/jobs@2025-01-01' = {
  name: name
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
          maxExecutions: maximumRuns
          pollingInterval: 30
          rules: [
            {
              name: 'messages'
              type: 'azure-queue'
              // One run more for each hundred that wait. What is hidden, because a run has it or it is to come again later,
              // would otherwise start runs that find nothing.
              metadata: { accountName: accountName, queueName: queueName, queueLength: '100', queueLengthStrategy: 'visibleonly' }
              identity: identity.id
            }
          ]
        }
      }
      replicaTimeout: 1800
      // What a run did not do comes again, and starts the next one.
      replicaRetryLimit: 0
      secrets: [
        {
          name: 'consumer-state'
          // Without a version: a new one is taken up within half an hour.
          keyVaultUrl: '${vault.properties.vaultUri}secrets/consumer-state'
          identity: identity.id
        }
      ]
      registries: empty(registryName) ? [] : [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      containers: [
        {
          name: 'consumer'
          image: image
          resources: { cpu: json('0.5'), memory: '1Gi' }
          env: concat(settings, [
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            { name: 'STATE', secretRef: 'consumer-state' }
          ])
        }
      ]
    }
  }
  dependsOn: [receives, counts, rejects, readsClaims, readsState, pulls]
}

output principalId string = identity.properties.principalId
