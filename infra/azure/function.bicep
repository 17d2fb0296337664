// The function app on the Flex Consumption plan, and what its host needs: an account, logs. Its package
// comes afterwards, by `az functionapp deployment source config-zip`.

param location string
param name string
param hostAccountName string
param alwaysReady int
param maximumInstances int
param perInstanceConcurrency int
param instanceMemory int
param logRetentionDays int
param logDailyCapGb int
// Whether requests come by a proxy alone: from this Front Door, by the id that it adds, and from these addresses.
param behindProxy bool
param frontDoorId string
param proxyAddresses array
param settings array

var package = 'package'

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  // checkov:skip=CKV_AZURE_43: the name is put together in main.bicep, of lower-case letters and digits, 24 at most
  // checkov:skip=CKV_AZURE_206: holds the package, which can be put there again, and the timer's lock
  // checkov:skip=CKV_AZURE_33: the host has no queue here
  // checkov:skip=CKV_AZURE_35: the host has no fixed address; who has no role is refused, and there are no keys
  // checkov:skip=CKV_AZURE_59: the host reaches it over the public endpoint; anonymous access is off
  name: hostAccountName
  location: location
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: package
  properties: { publicAccess: 'None' }
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logRetentionDays
    workspaceCapping: { dailyQuotaGb: logDailyCapGb }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  // checkov:skip=CKV_AZURE_225: zones cost always-ready instances
  name: name
  location: location
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

var hostSettings = [
  { name: 'AzureWebJobsStorage__accountName', value: account.name }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'Authorization=AAD' }
]

// Front Door's addresses are everybody's who has a Front Door; its id is not.
var fromFrontDoor = [
  {
    name: 'front-door'
    action: 'Allow'
    priority: 100
    tag: 'ServiceTag'
    ipAddress: 'AzureFrontDoor.Backend'
    headers: { 'x-azure-fdid': [frontDoorId] }
  }
]
var fromProxies = [
  for address in proxyAddresses: {
    name: 'proxy'
    action: 'Allow'
    priority: 200
    ipAddress: address
  }
]
var restrictions = concat(empty(frontDoorId) ? [] : fromFrontDoor, fromProxies)

resource app 'Microsoft.Web/sites@2024-04-01' = {
  // checkov:skip=CKV_AZURE_212: the plan scales by itself, down to none when nothing arrives
  // checkov:skip=CKV_AZURE_213: the host watches the handler itself
  // checkov:skip=CKV_AZURE_17: the platforms have no client certificates; what they send is verified by its signature or secret
  // checkov:skip=CKV_AZURE_222: the platforms deliver from the internet
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: { type: 'SystemAssigned' }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}${package}'
          authentication: { type: 'SystemAssignedIdentity' }
        }
      }
      runtime: { name: 'custom', version: '1.0' }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemory
        // Said, because otherwise the memory decides, and 512 MB would be given 4: each request mostly waits.
        triggers: { http: { perInstanceConcurrency: perInstanceConcurrency } }
        alwaysReady: alwaysReady > 0 ? [{ name: 'http', instanceCount: alwaysReady }] : []
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      ipSecurityRestrictionsDefaultAction: behindProxy ? 'Deny' : 'Allow'
      ipSecurityRestrictions: behindProxy ? restrictions : []
      appSettings: concat(hostSettings, settings)
    }
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

// Storage Blob Data Owner: the host keeps its package, its keys and the timer's lock there.
resource hostStores 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, name, 'Storage Blob Data Owner')
  properties: {
    principalId: app.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b')
  }
}

// Monitoring Metrics Publisher: logs are sent as this identity, not with a key.
resource hostLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, name, 'Monitoring Metrics Publisher')
  properties: {
    principalId: app.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
output principalId string = app.identity.principalId
output insightsId string = insights.id
output workspaceId string = workspace.id
