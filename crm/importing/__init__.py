"""Import of tables (CSV, XLSX): read, map, preview, run as a job, list what failed."""
