// The queue, its poison queue, those behind it where there is an archive, and the containers for claims, fallback, ledger
// and traces, in an account of their own: the function's host needs wide permissions on its account, and none on this one.

param location string
param accountName string
param redundancy string
param makeQueue bool
param makeArchive bool
param makeClaims bool
param makeFallback bool
param makeLedger bool
param claimRetentionDays int

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  // checkov:skip=CKV_AZURE_43: the name is put together in main.bicep, of lower-case letters and digits, 24 at most
  // checkov:skip=CKV_AZURE_206: one region's copies are what Storage Queue promises elsewhere too; choose another redundancy if a region's loss must not lose events
  // checkov:skip=CKV_AZURE_33: alerts.bicep logs what is put into the queues; a log of all requests would cost more than they do
  // checkov:skip=CKV_AZURE_35: what writes and reads here has no fixed address; who has no role is refused, and there are no keys
  // checkov:skip=CKV_AZURE_59: the function and consumers reach it over the public endpoint; anonymous access is off
  name: accountName
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

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource events 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = if (makeQueue) {
  parent: queues
  name: 'labelrelay-events'
}

// Dead letters: Functions' queue trigger puts here what it received 5 times in vain; other consumers do it themselves.
resource poison 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = if (makeQueue) {
  parent: queues
  name: 'labelrelay-events-poison'
}

// Where there is an archive, each event goes on into both: the first is for consumers.
resource consumers 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = if (makeArchive) {
  parent: queues
  name: 'labelrelay-consumers'
}

resource consumersPoison 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = if (makeArchive) {
  parent: queues
  name: 'labelrelay-consumers-poison'
}

resource copies 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = if (makeArchive) {
  parent: queues
  name: 'labelrelay-archive'
}

// What is no event.
resource copiesPoison 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = if (makeArchive) {
  parent: queues
  name: 'labelrelay-archive-poison'
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource claims 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (makeClaims) {
  parent: blobs
  name: 'claims'
  properties: { publicAccess: 'None' }
}

resource fallback 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (makeFallback) {
  parent: blobs
  name: 'fallback'
  properties: { publicAccess: 'None' }
}

// Memory of reconcile.
resource ledger 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (makeLedger) {
  parent: blobs
  name: 'ledger'
  properties: { publicAccess: 'None' }
}

// What reconcile need not send.
resource traces 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (makeLedger) {
  parent: blobs
  name: 'traces'
  properties: { publicAccess: 'None' }
}

// Nothing expires in the container fallback: it is all there is of an event until the queue has it. Nor in the
// container ledger: without it all of Label Studio would be sent again.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = if (makeClaims || makeLedger) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'claims-expire'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['claims/']
            }
            actions: {
              baseBlob: {
                delete: { daysAfterModificationGreaterThan: claimRetentionDays }
              }
            }
          }
        }
        {
          // What a run has read, it removes. A trace that is gone before gives a repeat.
          name: 'traces-expire'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['traces/']
            }
            actions: {
              baseBlob: {
                delete: { daysAfterModificationGreaterThan: 7 }
              }
            }
          }
        }
      ]
    }
  }
}

output accountName string = account.name
output queue string = 'azure-queue://${account.name}/labelrelay-events'
output consumerQueue string = 'azure-queue://${account.name}/labelrelay-consumers'
output claims string = 'az://${account.name}/claims'
output fallback string = 'az://${account.name}/fallback'
output ledger string = 'az://${account.name}/ledger'
output traces string = 'az://${account.name}/traces'
