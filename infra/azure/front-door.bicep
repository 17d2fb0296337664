// A Front Door before the app, for those who allow no app that the internet reaches: the app takes requests with the id
// of this one alone. front-door-route.bicep leads it there, once the app has a name.

param name string
param sku string

resource profile 'Microsoft.Cdn/profiles@2024-02-01' = {
  name: name
  location: 'global'
  sku: { name: sku }
  properties: {
    // A body may take 30 s to arrive, its way to the queue 10 s.
    originResponseTimeoutSeconds: 60
  }
}

resource endpoint 'Microsoft.Cdn/profiles/afdEndpoints@2024-02-01' = {
  parent: profile
  name: name
  location: 'global'
  properties: { enabledState: 'Enabled' }
}

resource origins 'Microsoft.Cdn/profiles/originGroups@2024-02-01' = {
  parent: profile
  name: 'function'
  properties: {
    // There is one origin, so that nothing has to be probed: each probe would be a request, from each place of Azure.
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3, additionalLatencyInMilliseconds: 50 }
  }
}

output id string = profile.properties.frontDoorId
output profileName string = profile.name
output endpointName string = endpoint.name
output hostName string = endpoint.properties.hostName
