-- doctor.version
SELECT current_setting('server_version');

-- doctor.time
SELECT clock_timestamp();
