-- How many calibration samples there are, and on how many of them accepting the
-- little network's answer is bad. $bad, $little and $score are filled in by fleet.py.
SELECT
    COUNT(*) AS n,
    COUNT(*) FILTER (WHERE $bad) AS bad,
    COUNT(*) FILTER (WHERE levels.$little.$score IS NULL
        OR NOT (levels.$little.$score > CAST('-Infinity' AS FLOAT)
            AND levels.$little.$score < CAST('Infinity' AS FLOAT))) AS unusable
FROM trace
WHERE split = 'calibrate'
