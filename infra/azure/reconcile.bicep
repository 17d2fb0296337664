// Events that Label Studio sent while nothing took them, fetched through its API on a schedule by `labelrelay pull`:
// a job of Container Apps, which costs nothing between its runs. It has an identity of its own and reads no
// webhook's secret: it only has to know the source's name.

param location string
param name string
param image string
param registryName string
param minutes int
param labelStudioUrl string
param ledger string
param accountName string
param vaultName string
param workspaceId string
param queue bool
param claims bool
param settings array

// Not the job's own identity: that would be there only with the job, which is refused as long as its identity
// may not read the token or pull the image.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

module roles 'roles.bicep' = {
  name: '${name}-roles'
  params: {
    principalId: identity.properties.principalId
    accountName: accountName
    vaultName: vaultName
    queue: queue
    claims: claims
    fallback: false
    ledger: true
    traces: true
    labelboxSecret: false
    labelStudioSecret: false
    labelStudioToken: true
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = if (!empty(registryName)) {
  name: empty(registryName) ? 'unused' : registryName
}

// AcrPull.
resource pulls 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  scope: registry
  name: guid(registry.id, name, 'AcrPull')
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
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

resource job 'Microsoft.App/jobs@2024-03-01' = {
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
      triggerType: 'Schedule'
      scheduleTriggerConfig: {
        cronExpression: minutes == 60 ? '0 * * * *' : '*/${minutes} * * * *'
        parallelism: 1
        replicaCompletionCount: 1
      }
      // Nothing keeps the next run waiting for this one, so this one is over by then. What it did is in the ledger.
      replicaTimeout: minutes * 60 - 60
      // The next run of the schedule is the retry.
      replicaRetryLimit: 0
      secrets: [
        {
          name: 'label-studio-token'
          // Without a version: a new one is taken up within half an hour.
          keyVaultUrl: '${vault.properties.vaultUri}secrets/label-studio-token'
          identity: identity.id
        }
      ]
      registries: empty(registryName) ? [] : [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      containers: [
        {
          name: 'reconcile'
          image: image
          args: ['pull', 'label-studio', '--ledger', ledger]
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          env: concat(settings, [
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            { name: 'LABEL_STUDIO_URL', value: labelStudioUrl }
            { name: 'LABEL_STUDIO_API_KEY', secretRef: 'label-studio-token' }
          ])
        }
      ]
    }
  }
  dependsOn: [roles, pulls]
}

output principalId string = identity.properties.principalId
