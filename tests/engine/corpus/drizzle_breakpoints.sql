CREATE TABLE "t" ("a" int);--> statement-breakpoint
ALTER TABLE "t" ADD COLUMN "b" int;--> statement-breakpoint
