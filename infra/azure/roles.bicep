// Rights of the relay, and of reconcile, each on the very queue, container or secret. The redrive is
// part of the relay's app, so that may also read and remove in the fallback. Whoever makes claims or traces may
// read and remove them too, since the role has no smaller form.

param principalId string
param accountName string
param vaultName string
param queue bool
param claims bool
param fallback bool
param ledger bool
param traces bool
param labelboxSecret bool
param labelStudioSecret bool
param labelStudioToken bool

var roles = {
  sender: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a') // Storage Queue Data Message Sender
  contributor: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'ba92f5b4-2d11-453d-a403-e96b0029c9fe') // Storage Blob Data Contributor
  reader: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6') // Key Vault Secrets User
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: accountName
  resource queues 'queueServices' existing = {
    name: 'default'
    resource events 'queues' existing = { name: 'labelrelay-events' }
  }
  resource blobs 'blobServices' existing = {
    name: 'default'
    resource claims 'containers' existing = { name: 'claims' }
    resource fallback 'containers' existing = { name: 'fallback' }
    resource ledger 'containers' existing = { name: 'ledger' }
    resource traces 'containers' existing = { name: 'traces' }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
  resource labelbox 'secrets' existing = { name: 'labelbox' }
  resource labelStudio 'secrets' existing = { name: 'label-studio' }
  resource token 'secrets' existing = { name: 'label-studio-token' }
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (queue) {
  scope: account::queues::events
  name: guid(account::queues::events.id, principalId, 'sender')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.sender }
}

resource keepsClaims 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (claims) {
  scope: account::blobs::claims
  name: guid(account::blobs::claims.id, principalId, 'contributor')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.contributor }
}

resource fallsBack 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (fallback) {
  scope: account::blobs::fallback
  name: guid(account::blobs::fallback.id, principalId, 'contributor')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.contributor }
}

resource keepsLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (ledger) {
  scope: account::blobs::ledger
  name: guid(account::blobs::ledger.id, principalId, 'contributor')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.contributor }
}

resource keepsTraces 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (traces) {
  scope: account::blobs::traces
  name: guid(account::blobs::traces.id, principalId, 'contributor')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.contributor }
}

resource readsLabelbox 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (labelboxSecret) {
  scope: vault::labelbox
  name: guid(vault::labelbox.id, principalId, 'reader')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.reader }
}

resource readsLabelStudio 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (labelStudioSecret) {
  scope: vault::labelStudio
  name: guid(vault::labelStudio.id, principalId, 'reader')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.reader }
}

resource readsToken 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (labelStudioToken) {
  scope: vault::token
  name: guid(vault::token.id, principalId, 'reader')
  properties: { principalId: principalId, principalType: 'ServicePrincipal', roleDefinitionId: roles.reader }
}
