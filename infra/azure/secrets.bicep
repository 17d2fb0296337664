// The vault, and the secrets that are made here. A secret that is written again gets a further version;
// the relay takes the newest two that are enabled.

param location string
param vaultName string

@secure()
@description('Empty: leaves what is there.')
param labelbox string

@secure()
@description('Empty: leaves what is there.')
param labelStudio string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  // checkov:skip=CKV_AZURE_109: the function has no fixed address; who has no role is refused
  // checkov:skip=CKV_AZURE_189: the function reaches it over the public endpoint; a private one costs more than all the rest
  name: vaultName
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    enablePurgeProtection: true
  }
}

resource labelboxSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(labelbox)) {
  // checkov:skip=CKV_AZURE_114: it is set; the scan does not see it in a resource that is made on a condition
  // checkov:skip=CKV_AZURE_41: a secret that ends by itself would refuse deliveries; an end is set on the old version when rotating
  parent: vault
  name: 'labelbox'
  properties: {
    value: labelbox
    contentType: 'text/plain'
  }
}

resource labelStudioSecret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(labelStudio)) {
  // checkov:skip=CKV_AZURE_114: it is set; the scan does not see it in a resource that is made on a condition
  // checkov:skip=CKV_AZURE_41: a secret that ends by itself would refuse deliveries; an end is set on the old version when rotating
  parent: vault
  name: 'label-studio'
  properties: {
    value: labelStudio
    contentType: 'text/plain'
  }
}

output vaultName string = vault.name
