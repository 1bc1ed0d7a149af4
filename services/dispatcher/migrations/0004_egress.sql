CREATE TABLE "airlock"."egressgrant" (
	"egressgrantid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"sdkmessageprocessingstepid" uuid NOT NULL,
	"scheme" text NOT NULL,
	"host" text NOT NULL,
	"port" integer NOT NULL,
	"methods" text[] NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"createdby" uuid NOT NULL,
	CONSTRAINT "egressgrant_scheme" CHECK ("airlock"."egressgrant"."scheme" in ('https', 'http')),
	CONSTRAINT "egressgrant_port" CHECK ("airlock"."egressgrant"."port" between 1 and 65535)
);
--> statement-breakpoint
CREATE TABLE "airlock"."egresslog" (
	"egresslogid" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"sdkmessageprocessingstepid" uuid NOT NULL,
	"stepname" text NOT NULL,
	"bundlename" text NOT NULL,
	"bundleversion" text NOT NULL,
	"systemuserid" uuid NOT NULL,
	"scheme" text NOT NULL,
	"host" text NOT NULL,
	"port" integer NOT NULL,
	"method" text NOT NULL,
	"hop" integer NOT NULL,
	"httpstatus" integer,
	"refusal" text,
	"sentbytes" bigint NOT NULL,
	"receivedbytes" bigint NOT NULL,
	"durationms" double precision NOT NULL,
	"traceid" text NOT NULL,
	"createdon" timestamp(3) with time zone DEFAULT now() NOT NULL,
	"versionnumber" bigint DEFAULT nextval('data.versionnumber') NOT NULL
);
--> statement-breakpoint
ALTER TABLE "airlock"."egressgrant" ADD CONSTRAINT "egressgrant_sdkmessageprocessingstepid_sdkmessageprocessingstep_sdkmessageprocessingstepid_fk" FOREIGN KEY ("sdkmessageprocessingstepid") REFERENCES "airlock"."sdkmessageprocessingstep"("sdkmessageprocessingstepid") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "egressgrant_target" ON "airlock"."egressgrant" USING btree ("sdkmessageprocessingstepid","scheme","host","port");--> statement-breakpoint
CREATE INDEX "egresslog_created" ON "airlock"."egresslog" USING btree ("createdon");--> statement-breakpoint
CREATE INDEX "egresslog_step" ON "airlock"."egresslog" USING btree ("sdkmessageprocessingstepid","createdon");--> statement-breakpoint
CREATE INDEX "egresslog_trace" ON "airlock"."egresslog" USING btree ("traceid");