CREATE TABLE "airlock"."datakey" (
	"organizationid" uuid NOT NULL,
	"version" integer NOT NULL,
	"wrappedkey" text NOT NULL,
	"masterkeyid" text NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"modifiedon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "datakey_organizationid_version_pk" PRIMARY KEY("organizationid","version")
);
--> statement-breakpoint
CREATE TABLE "airlock"."signingkey" (
	"signingkeyid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"fingerprint" text NOT NULL,
	"publickey" text NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid NOT NULL,
	"revokedon" timestamp(3) with time zone,
	"revokedby" uuid
);
--> statement-breakpoint
DROP INDEX "airlock"."pluginassembly_digest";--> statement-breakpoint
ALTER TABLE "airlock"."organization" ADD COLUMN "requiresignature" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "airlock"."pluginassembly" ADD COLUMN "signingkeyid" uuid;--> statement-breakpoint
ALTER TABLE "airlock"."pluginassembly" ADD COLUMN "signature" text;--> statement-breakpoint
CREATE UNIQUE INDEX "signingkey_fingerprint" ON "airlock"."signingkey" USING btree ("fingerprint");--> statement-breakpoint
ALTER TABLE "airlock"."pluginassembly" ADD CONSTRAINT "pluginassembly_signingkeyid_signingkey_signingkeyid_fk" FOREIGN KEY ("signingkeyid") REFERENCES "airlock"."signingkey"("signingkeyid") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "pluginassembly_digest" ON "airlock"."pluginassembly" USING btree ("digest");--> statement-breakpoint
ALTER TABLE "airlock"."pluginassembly" ADD CONSTRAINT "pluginassembly_signed" CHECK (("airlock"."pluginassembly"."signingkeyid" is null) = ("airlock"."pluginassembly"."signature" is null));