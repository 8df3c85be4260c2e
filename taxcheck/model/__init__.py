"""What things are: rules, findings, reports and the values that they hold."""
