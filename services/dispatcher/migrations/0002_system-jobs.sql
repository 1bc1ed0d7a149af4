CREATE TABLE "airlock"."asyncoperationattempt" (
	"asyncoperationattemptid" uuid PRIMARY KEY NOT NULL,
	"asyncoperationid" uuid NOT NULL,
	"attempt" integer NOT NULL,
	"counted" boolean NOT NULL,
	"dispatcherid" text NOT NULL,
	"workerid" text,
	"startedon" timestamp(3) with time zone NOT NULL,
	"endedon" timestamp(3) with time zone NOT NULL,
	"result" integer NOT NULL,
	"failurekind" text,
	"errorcode" integer,
	"message" text,
	"traceid" text NOT NULL,
	"wallms" double precision,
	"cpums" double precision,
	"heapbytes" bigint,
	"residentbytes" bigint,
	"hostcalls" integer,
	"hostcallbytes" bigint,
	"startkind" text
);
--> statement-breakpoint
DROP INDEX "airlock"."asyncoperation_waiting";--> statement-breakpoint
DROP INDEX "airlock"."asyncoperation_leased";--> statement-breakpoint
DROP INDEX "airlock"."asyncoperation_ready";--> statement-breakpoint
ALTER TABLE "airlock"."asyncoperation" ADD COLUMN "priority" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "airlock"."asyncoperation" ADD COLUMN "waitingfor" text;--> statement-breakpoint
ALTER TABLE "airlock"."asyncoperation" ADD COLUMN "leaseid" uuid;--> statement-breakpoint
ALTER TABLE "airlock"."asyncoperation" ADD COLUMN "dispatcherid" text;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD COLUMN "orderingkey" text;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD COLUMN "maxconcurrency" integer;--> statement-breakpoint
ALTER TABLE "airlock"."sdkmessageprocessingstep" ADD COLUMN "priority" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "asyncoperationattempt_job" ON "airlock"."asyncoperationattempt" USING btree ("asyncoperationid","attempt");--> statement-breakpoint
CREATE INDEX "asyncoperation_ordered" ON "airlock"."asyncoperation" USING btree ("pool","dependencytoken","sequence") WHERE "airlock"."asyncoperation"."statecode" < 3 and "airlock"."asyncoperation"."dependencytoken" is not null;--> statement-breakpoint
CREATE INDEX "asyncoperation_ordered_running" ON "airlock"."asyncoperation" USING btree ("dependencytoken") WHERE "airlock"."asyncoperation"."statecode" = 2 and "airlock"."asyncoperation"."dependencytoken" is not null;--> statement-breakpoint
CREATE INDEX "asyncoperation_due" ON "airlock"."asyncoperation" USING btree ("postponeuntil") WHERE "airlock"."asyncoperation"."statecode" = 1;--> statement-breakpoint
CREATE INDEX "asyncoperation_running" ON "airlock"."asyncoperation" USING btree ("owningextensionid") WHERE "airlock"."asyncoperation"."statecode" = 2;--> statement-breakpoint
CREATE INDEX "asyncoperation_completed" ON "airlock"."asyncoperation" USING btree ("completedon") WHERE "airlock"."asyncoperation"."statecode" = 3;--> statement-breakpoint
CREATE INDEX "asyncoperation_ready" ON "airlock"."asyncoperation" USING btree ("pool","owningextensionid","sequence") WHERE "airlock"."asyncoperation"."statecode" = 0 and "airlock"."asyncoperation"."dependencytoken" is null;--> statement-breakpoint
ALTER TABLE "airlock"."asyncoperation" ADD CONSTRAINT "asyncoperation_lease" CHECK (("airlock"."asyncoperation"."statecode" = 2) = ("airlock"."asyncoperation"."leaseid" is not null));--> statement-breakpoint
-- Half the CPU time of the default compression; a server that was built without lz4 keeps the default.
DO $$ BEGIN
  ALTER TABLE "airlock"."asyncoperation" ALTER COLUMN "data" SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
