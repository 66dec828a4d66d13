"""The Train page: targets, the composer with its dry run, and the jobs."""
