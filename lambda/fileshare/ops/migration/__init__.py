"""Copy what an app kept in a SQLite file into its DynamoDB tables: it can be stopped, run again, and checks itself."""
