//! labelrelay as the custom handler of the Azure Functions host.
