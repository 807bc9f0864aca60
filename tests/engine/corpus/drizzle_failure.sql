SELECT 1;
--> statement-breakpoint
SELECT nope;