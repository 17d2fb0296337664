// What all of it costs in a month: the cost of the resource group, whose resources are all of this. It only tells.

param name string
param amount int
param start string
param actionGroupId string

resource monthly 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    // Azure takes the current month for a new budget, and refuses another one for a budget that is there. So the date
    // is the deployer's, and not that of the deployment.
    timePeriod: { startDate: start }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Actual'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
      aboutToBe: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
    }
  }
}
