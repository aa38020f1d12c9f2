-- health.answer
SELECT 1
