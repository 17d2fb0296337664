// labelrelay on Azure: webhooks of Labelbox and Label Studio, verified over their raw bytes and put on a
// Storage Queue before they are answered. README.md says how to deploy; docs/azure.md explains consuming,
// rotating, cost and failures.

targetScope = 'resourceGroup'

@description('Region of everything. Choose the one nearest to the platform: Label Studio waits one second.')
param location string = resourceGroup().location

@minLength(2)
@maxLength(20)
@description('Prefix of the names of all resources: lower-case letters, digits and hyphens.')
param name string = 'labelrelay'

@description('true at the first deployment, and to make new secrets: the ones before stay valid. false keeps them.')
param makeSecrets bool

// Which platforms deliver

@description('Take deliveries of Labelbox.')
param labelbox bool = true

@description('Take deliveries of Label Studio.')
param labelStudio bool = true

@description('Also answer the calls that Label Studio makes to an ML back end, so that START_TRAINING becomes an event.')
param labelStudioMlBackend bool = false

@description('Addresses or networks (CIDR) that may deliver for Labelbox, besides the signature. Leave it empty to allow any.')
param labelboxAllowedAddresses array = []

@description('Addresses or networks (CIDR) that may deliver for Label Studio, besides the secret. Leave it empty to allow any.')
param labelStudioAllowedAddresses array = []

@minValue(1)
@description('For the two lists: which entry of X-Forwarded-For counts, from the right. 1 is the one that the front end of Azure Functions appends; one more for each proxy before it.')
param trustedProxies int = 1

@description('Id of the Front Door before the app (its property frontDoorId). With trustedProxies of 2 or more and a list, the app takes requests with this id alone, since at its own URL anybody could write X-Forwarded-For.')
param frontDoorId string = ''

@description('Networks (CIDR) of another proxy before the app, for the same purpose. With trustedProxies of 2 or more and a list, but neither this nor frontDoorId, the app takes no request at all.')
param proxyAddresses array = []

@allowed(['', 'Standard_AzureFrontDoor', 'Premium_AzureFrontDoor'])
@description('Make a Front Door of this tier before the app, which then takes requests from there alone. The outputs name its URLs. For a firewall, Premium has managed rules. Leave it empty for none.')
param frontDoorSku string = ''

// Times for which things are kept

@description('Keep events in a container while the queue fails. A timer moves them into the queue every 5 minutes.')
param fallback bool = true

@minValue(30)
@description('Days until bodies too large for the queue expire. Messages never expire, so a consumer must not be further behind than this.')
param claimRetentionDays int = 730

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Copies of queue, claims and fallback: in one building (LRS), in three of the region (ZRS), or in another region besides (GRS, GZRS). Not every region has all of them, and Azure does not change each into each.')
param redundancy string = 'Standard_ZRS'

@minValue(30)
@maxValue(730)
@description('Days to keep logs. They hold no bodies and no secrets.')
param logRetentionDays int = 30

@description('GB of logs a day. Beyond it, nothing more is logged that day, which caps the price of a flood of forgeries.')
param logDailyCapGb int = 1

// Bring your own (empty: made here). The roles on them are yours to give, to the identity that the output
// principalId names: Storage Queue Data Message Sender, Storage Blob Data Contributor, Key Vault Secrets User.

@description('Your own queue: azure-queue://ACCOUNT/QUEUE, or servicebus://NAMESPACE/QUEUE.')
param queue string = ''

@description('Your own container for bodies too large for the queue: az://ACCOUNT/CONTAINER/PREFIX. You set its lifecycle rules.')
param blobStore string = ''

@description('Your own container for the fallback: az://ACCOUNT/CONTAINER/PREFIX. Nothing in it may expire.')
param fallbackStore string = ''

@description('Your own secret in Key Vault, as you enter it in Labelbox: VAULT/SECRET.')
param labelboxSecret string = ''

@description('Your own secret in Key Vault, as Label Studio sends it: VAULT/SECRET.')
param labelStudioSecret string = ''

// The function app

@description('Instances to keep while nothing arrives. With 1, the first delivery after a pause finds an instance that runs. Label Studio waits one second and never tries again.')
param alwaysReady int = 0

@minValue(1)
@maxValue(1000)
@description('At most so many instances at a time, which bounds what a flood of forged requests costs. The risk is that more requests are refused (429), forged or not, and Label Studio does not try again.')
param maximumInstances int = 40

@minValue(1)
@maxValue(1000)
@description('Requests that an instance takes at a time before Azure starts another one. Their bodies share 256 MiB of its memory.')
param perInstanceConcurrency int = 32

@allowed([512, 2048, 4096])
@description('Memory of an instance in MB. Processor time comes in proportion. Bodies are held in memory while they arrive.')
param instanceMemory int = 512

@allowed(['error', 'warn', 'info', 'debug'])
@description('info has one line for each delivery; warn leaves out what went well. No level logs bodies or secrets.')
param logLevel string = 'info'

// Fetching what Label Studio sent while nothing took it: off unless image and URL are given. The token is the
// secret `label-studio-token` in the vault that is made here, and has to be there first.

@description('Container image of labelrelay itself: docker build without --target. Leave it empty to fetch nothing.')
param reconcileImage string = ''

@description('Name of the container registry in this resource group that has the image: NAME of NAME.azurecr.io. Leave it empty if everybody may pull the image.')
param reconcileRegistry string = ''

@description('Where Label Studio is, for example https://label-studio.example.org. Container Apps must reach it.')
param reconcileUrl string = ''

@allowed([5, 6, 10, 12, 15, 20, 30, 60])
@description('Minutes between runs. A run has one minute less, so that it is over when the next begins.')
param reconcileMinutes int = 15

@description('Leave a trace of each event of Label Studio, so that a run sends only what was missed. It costs a write for each event. Without traces a run queues each live event a second time, with the same id, and the alert webhook-broken never rings.')
param traces bool = true

// A program of yours that consumes: off unless an image is given. What it remembers is in PostgreSQL, whose URL is the
// secret `consumer-state` in the vault that is made here, and has to be there first.

@description('Container image of a program of yours that consumes with labelrelay.Consumer, and ends when nothing comes any more (until_idle). It gets QUEUE, BLOB_STORE and STATE. Leave it empty to run none.')
param consumerImage string = ''

@description('Name of the container registry in this resource group that has the image: NAME of NAME.azurecr.io. Leave it empty if everybody may pull the image.')
param consumerRegistry string = ''

@minValue(1)
@maxValue(100)
@description('At most so many runs at a time, one for each hundred messages that wait.')
param consumerMaximumRuns int = 1

@description('More variables of that program, each an object with name and value. They are no place for secrets.')
param consumerSettings array = []

// An archive of every event: off unless an image is given. docs/archive.md says what is in it.

@description('Container image of labelrelay itself: docker build without --target. With it, consumers take events from the queue that the output consumerQueueUrl names, and every event goes into an archive, too. Leave it empty for none.')
param archiveImage string = ''

@description('Name of the container registry in this resource group that has the image: NAME of NAME.azurecr.io. Leave it empty if everybody may pull the image.')
param archiveRegistry string = ''

@allowed([5, 6, 10, 12, 15, 20, 30, 60])
@description('Minutes between runs that write the archive. A run has one minute less, so that it is over when the next begins.')
param archiveMinutes int = 15

@minValue(0)
@description('Days to keep events in the archive; 0 keeps them for good.')
param archiveRetentionDays int = 0

@description('Object ids of users, groups or service principals that may read the archive, and with it every body.')
param archiveReaders array = []

// Alerts

@description('Id of the action group for the alerts. Without one, they only show in Azure Monitor.')
param actionGroupId string = ''

@description('Alert when more messages than this wait in queue and poison queue together.')
param backlogAlarmCount int = 1000

@description('Alert when a consumer puts a message into the poison queue. For this, Azure logs each message that is put into a queue. Of a queue of yours nothing is logged.')
param deadLetterAlarm bool = true

@description('Alert when more requests than this are refused (4xx) within 15 minutes.')
param refusedAlarmCount int = 20

@minValue(0)
@description('Tell the action group when a month has cost this much in the currency of the bill, or is about to. 0 makes no budget, and so does an empty actionGroupId.')
param monthlyBudget int = 0

@description('First day of the month in which the budget is first deployed, such as 2026-12-01. Later deployments repeat it, since Azure refuses to change it.')
param monthlyBudgetStart string = ''

@secure()
@description('Leave it out: random, made for this deployment.')
// checkov:skip=CKV_AZURE_131: no default is written here: each deployment makes a random one
param labelboxRandom string = newGuid()

@secure()
@description('Leave it out: random, made for this deployment.')
// checkov:skip=CKV_AZURE_131: no default is written here: each deployment makes a random one
param labelStudioRandom string = newGuid()

var makeQueue = empty(queue)
var makeBlobStore = empty(blobStore)
var makeFallback = fallback && empty(fallbackStore)
var makeLabelboxSecret = labelbox && empty(labelboxSecret)
var makeLabelStudioSecret = labelStudio && empty(labelStudioSecret)
var behindProxy = trustedProxies > 1 && !(empty(labelboxAllowedAddresses) && empty(labelStudioAllowedAddresses))
var withFrontDoor = !empty(frontDoorSku)
// The Front Door that is made here is one more proxy.
var proxies = withFrontDoor ? max(trustedProxies, 2) : trustedProxies
var withReconcile = labelStudio && !empty(reconcileImage) && !empty(reconcileUrl)
// A budget that tells nobody is refused.
var withBudget = monthlyBudget > 0 && !empty(actionGroupId)
// It consumes what is made here.
var withConsumer = makeQueue && makeBlobStore && !empty(consumerImage)
// It copies what is made here.
var withArchive = makeQueue && !empty(archiveImage)

// Names of accounts and vaults are of the whole world; the group's id makes them this group's. 24 characters
// are the most: 7, `host`, and the 13 of uniqueString.
var unique = uniqueString(resourceGroup().id, name)
var short = take(replace(name, '-', ''), 7)

module events 'events.bicep' = {
  name: '${name}-events'
  params: {
    location: location
    accountName: '${short}${unique}'
    redundancy: redundancy
    makeQueue: makeQueue
    makeArchive: withArchive
    makeClaims: makeBlobStore
    makeFallback: makeFallback
    makeLedger: withReconcile
    claimRetentionDays: claimRetentionDays
  }
}

module secrets 'secrets.bicep' = {
  name: '${name}-secrets'
  params: {
    location: location
    vaultName: '${short}-${unique}'
    // A vault's secrets are letters and digits alone: every platform's form and every shell takes them.
    labelbox: makeLabelboxSecret && makeSecrets ? replace(labelboxRandom, '-', '') : ''
    labelStudio: makeLabelStudioSecret && makeSecrets ? replace(labelStudioRandom, '-', '') : ''
  }
}

var labelboxReference = makeLabelboxSecret ? '${secrets.outputs.vaultName}/labelbox' : labelboxSecret
var labelStudioReference = makeLabelStudioSecret ? '${secrets.outputs.vaultName}/label-studio' : labelStudioSecret
var labelboxLines = [
  '[[source]]'
  'name = "labelbox"'
  'provider = "labelbox"'
  'secret = "azure-keyvault:${labelboxReference}"'
  // Nothing pulls from Labelbox.
  'traces = false'
  'trusted_proxies = ${proxies}'
  empty(labelboxAllowedAddresses) ? '' : 'allow = ${string(labelboxAllowedAddresses)}'
]
var labelStudioLines = [
  '[[source]]'
  'name = "label-studio"'
  'provider = "label-studio"'
  'secret = "azure-keyvault:${labelStudioReference}"'
  labelStudioMlBackend ? 'ml_backend = true' : ''
  'trusted_proxies = ${proxies}'
  empty(labelStudioAllowedAddresses) ? '' : 'allow = ${string(labelStudioAllowedAddresses)}'
]
// docs/configuration.md lists what else may stand here, such as filters.
var config = join(concat(labelbox ? labelboxLines : [], labelStudio ? labelStudioLines : []), '\n')

var settings = [
  { name: 'LABELRELAY_QUEUE', value: makeQueue ? events.outputs.queue : queue }
  { name: 'LABELRELAY_BLOB_STORE', value: makeBlobStore ? events.outputs.claims : blobStore }
  { name: 'LABELRELAY_CONFIG_TOML', value: config }
  { name: 'LABELRELAY_LOG', value: logLevel }
]
var withFallback = [
  { name: 'LABELRELAY_FALLBACK', value: makeFallback ? events.outputs.fallback : fallbackStore }
]
// Where something pulls, a trace of each event tells it what need not be sent.
var withTraces = [
  { name: 'LABELRELAY_TRACES', value: events.outputs.traces }
]

module frontDoor 'front-door.bicep' = if (withFrontDoor) {
  name: '${name}-front-door'
  params: { name: '${name}-${unique}', sku: frontDoorSku }
}

module function 'function.bicep' = {
  name: '${name}-function'
  params: {
    location: location
    name: '${name}-${unique}'
    hostAccountName: '${short}host${unique}'
    alwaysReady: alwaysReady
    maximumInstances: maximumInstances
    perInstanceConcurrency: perInstanceConcurrency
    instanceMemory: instanceMemory
    logRetentionDays: logRetentionDays
    logDailyCapGb: logDailyCapGb
    behindProxy: behindProxy || withFrontDoor
    frontDoorId: withFrontDoor ? frontDoor.outputs.id : frontDoorId
    proxyAddresses: proxyAddresses
    settings: concat(settings, fallback ? withFallback : [], withReconcile && traces ? withTraces : [])
  }
}

module frontDoorRoute 'front-door-route.bicep' = if (withFrontDoor) {
  name: '${name}-front-door-route'
  params: {
    profileName: withFrontDoor ? frontDoor.outputs.profileName : ''
    endpointName: withFrontDoor ? frontDoor.outputs.endpointName : ''
    hostName: function.outputs.hostName
  }
}

var hostName = withFrontDoor ? frontDoor.outputs.hostName : function.outputs.hostName

module roles 'roles.bicep' = {
  name: '${name}-roles'
  params: {
    principalId: function.outputs.principalId
    accountName: events.outputs.accountName
    vaultName: secrets.outputs.vaultName
    queue: makeQueue
    claims: makeBlobStore
    fallback: makeFallback
    ledger: false
    traces: withReconcile && traces
    labelboxSecret: makeLabelboxSecret
    labelStudioSecret: makeLabelStudioSecret
    labelStudioToken: false
  }
}

module reconcile 'reconcile.bicep' = if (withReconcile) {
  name: '${name}-reconcile'
  params: {
    location: location
    name: '${name}-reconcile'
    image: reconcileImage
    registryName: reconcileRegistry
    minutes: reconcileMinutes
    labelStudioUrl: reconcileUrl
    ledger: events.outputs.ledger
    accountName: events.outputs.accountName
    vaultName: secrets.outputs.vaultName
    workspaceId: function.outputs.workspaceId
    queue: makeQueue
    claims: makeBlobStore
    settings: concat(settings, traces ? withTraces : [])
  }
}

module consumer 'consumer.bicep' = if (withConsumer) {
  name: '${name}-consumer'
  params: {
    location: location
    name: '${name}-consumer'
    image: consumerImage
    registryName: consumerRegistry
    maximumRuns: consumerMaximumRuns
    accountName: events.outputs.accountName
    queueName: withArchive ? 'labelrelay-consumers' : 'labelrelay-events'
    vaultName: secrets.outputs.vaultName
    workspaceId: function.outputs.workspaceId
    settings: concat(consumerSettings, [
      { name: 'QUEUE', value: withArchive ? events.outputs.consumerQueue : events.outputs.queue }
      { name: 'BLOB_STORE', value: events.outputs.claims }
    ])
  }
}

module archive 'archive.bicep' = if (withArchive) {
  name: '${name}-archive'
  params: {
    location: location
    name: name
    image: archiveImage
    registryName: archiveRegistry
    minutes: archiveMinutes
    retentionDays: archiveRetentionDays
    readers: archiveReaders
    redundancy: redundancy
    accountName: events.outputs.accountName
    archiveAccountName: '${short}arch${unique}'
    workspaceId: function.outputs.workspaceId
    logLevel: logLevel
  }
}

module alerts 'alerts.bicep' = {
  name: '${name}-alerts'
  params: {
    location: location
    name: name
    insightsId: function.outputs.insightsId
    workspaceId: function.outputs.workspaceId
    accountName: events.outputs.accountName
    queue: makeQueue
    deadLetters: deadLetterAlarm
    fallback: fallback
    reconcile: withReconcile
    consumer: withConsumer
    archive: withArchive
    actionGroupId: actionGroupId
    backlogAlarmCount: backlogAlarmCount
    refusedAlarmCount: refusedAlarmCount
  }
}

module budget 'budget.bicep' = if (withBudget) {
  name: '${name}-budget'
  params: { name: name, amount: monthlyBudget, start: monthlyBudgetStart, actionGroupId: actionGroupId }
}

@description('URL to enter in Labelbox; with ?code=KEY appended when the function asks for a key.')
output labelboxUrl string = labelbox ? 'https://${hostName}/api/labelbox' : ''

@description('Prints the secret to enter in Labelbox.')
output labelboxSecretCommand string = makeLabelboxSecret ? 'az keyvault secret show --vault-name ${secrets.outputs.vaultName} --name labelbox --query value --output tsv' : ''

@description('URL to enter in Label Studio; with ?code=KEY appended when the function asks for a key.')
output labelStudioUrl string = labelStudio ? 'https://${hostName}/api/label-studio' : ''

@description('Prints the secret to enter in Label Studio, in the header Authorization as Bearer SECRET.')
output labelStudioSecretCommand string = makeLabelStudioSecret ? 'az keyvault secret show --vault-name ${secrets.outputs.vaultName} --name label-studio --query value --output tsv' : ''

@description('Storage account of the queue labelrelay-events, its poison queue, bodies too large for it, and the fallback.')
output accountName string = events.outputs.accountName

@description('The queue, as labelrelay names it.')
output queueUrl string = makeQueue ? events.outputs.queue : queue

@description('Where bodies too large for the queue are, as labelrelay names it.')
output blobStoreUrl string = makeBlobStore ? events.outputs.claims : blobStore

@description('Where events wait that the queue did not take, as labelrelay names it.')
output fallbackUrl string = makeFallback ? events.outputs.fallback : fallbackStore

@description('The function app, for its package, keys and logs.')
output functionApp string = function.outputs.name

@description('Identity of the function app, for roles on your own resources.')
output principalId string = function.outputs.principalId

@description('The queue that consumers take events from, as labelrelay names it.')
output consumerQueueUrl string = withArchive ? events.outputs.consumerQueue : makeQueue ? events.outputs.queue : queue

@description('The archive, as labelrelay names it.')
output archiveUrl string = withArchive ? archive.outputs.url : ''

@description('The job that fetches what was missed, for its executions.')
output reconcileJob string = withReconcile ? '${name}-reconcile' : ''

@description('Identity of that job, for roles on your own resources.')
output reconcilePrincipalId string = withReconcile ? reconcile.outputs.principalId : ''

@description('The job that consumes, for its executions.')
output consumerJob string = withConsumer ? '${name}-consumer' : ''

@description('Identity of that job, for roles on what your program uses besides.')
output consumerPrincipalId string = withConsumer ? consumer.outputs.principalId : ''
