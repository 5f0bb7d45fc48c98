-- The (k + 1)-th largest score of the bad samples: the threshold. No row: there are
-- at most k bad ones, and any finite score may be accepted.
-- The comparisons with infinity leave out NaN, which these engines sort above it.
SELECT levels.$little.$score AS threshold
FROM trace
WHERE split = 'calibrate'
    AND $bad
    AND levels.$little.$score > CAST('-Infinity' AS FLOAT)
    AND levels.$little.$score < CAST('Infinity' AS FLOAT)
ORDER BY threshold DESC
LIMIT 1 OFFSET $k
